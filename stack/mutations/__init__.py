"""Mutations: every single thing that can be deleted from what a stack's dashboards and alerting are configured with."""

from collections.abc import Sequence
from pathlib import Path

from stack.mutations.alerting import alerting_mutations
from stack.mutations.dashboards import dashboard_mutations
from stack.mutations.datasources import datasource_mutations
from stack.mutations.mutation import Kind, Mutation, apply

__all__ = ["Kind", "Mutation", "apply", "mutations"]


def mutations(root: Path) -> Sequence[Mutation]:
    """All mutations of the rendered configuration below a folder, in the order of its files."""
    return [*dashboard_mutations(root), *alerting_mutations(root), *datasource_mutations(root)]
