"""Migrations of made-up data, which render the models that they touch and not every model that these lead to.

After each operation Django renders the model anew with all that points to it and all that it points to, since an
operation may ask who refers to a column. Few do, and in a house whose tables hang together each of five hundred
operations renders thirty models: four fifths of the time that an empty database takes.
"""

from __future__ import annotations

from typing import cast

from django.db.migrations import (
    AddConstraint,
    AddField,
    AddIndex,
    AlterField,
    AlterModelManagers,
    AlterModelOptions,
    CreateModel,
    DeleteModel,
    Migration,
    RemoveConstraint,
    RemoveField,
    RemoveIndex,
    RunPython,
    RunSQL,
)
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

# They write to their own table and look at no other; RunPython has every model rendered for itself.
ALONE = {
    AddConstraint,
    AddField,
    AddIndex,
    AlterModelManagers,
    AlterModelOptions,
    CreateModel,
    DeleteModel,
    RemoveConstraint,
    RemoveField,
    RemoveIndex,
    RunPython,
}


class State(ProjectState):
    """What the models are like; while `alone`, an operation leaves those that refer to its own as they were."""

    alone = False

    def clone(self) -> State:
        copy = _ours(super().clone())
        copy.alone = self.alone
        return copy

    def _find_reload_model(
        self, app_label: str, model_name: str, delay: bool = False
    ) -> set[tuple[str, str]]:
        if not self.alone:
            found: set[tuple[str, str]] = super()._find_reload_model(app_label, model_name, delay)  # type: ignore[misc]  # Django's own, without a stub
            return found
        # Whoever needs every model as it is clears what is rendered, if this says so.
        self.is_delayed = True
        return {(app_label, model_name)}


class Executor(MigrationExecutor):
    """Runs a migration whose operations look at nothing but their own table with fewer models rendered."""

    def _create_project_state(self, with_applied_migrations: bool = False) -> ProjectState:
        made: ProjectState = super()._create_project_state(with_applied_migrations)  # type: ignore[misc]  # as above
        return _ours(made)

    def apply_migration(
        self, state: ProjectState, migration: Migration, fake: bool = False, fake_initial: bool = False
    ) -> ProjectState:
        """Django's own, for every other migration with every model rendered anew first."""
        ours = _ours(state)
        ours.alone = all(map(_alone, migration.operations))
        if not ours.alone:
            ours.clear_delayed_apps_cache()
        return super().apply_migration(ours, migration, fake, fake_initial)


def _ours(state: ProjectState) -> State:
    # Django names its class where it makes one, so there is no other way to another.
    state.__class__ = State
    return cast(State, state)


def _alone(operation: Operation) -> bool:
    if isinstance(operation, AlterField):
        # A change of a column that others may refer to changes theirs.
        return not (operation.field.primary_key or operation.field.unique)
    if isinstance(operation, RunSQL):
        return not operation.state_operations
    return type(operation) in ALONE
