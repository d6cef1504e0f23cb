"""What a Grafana is provisioned with: files to values, each mistake named."""
