"""The subset of Go's text/template that people use in alert rules."""
