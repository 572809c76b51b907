"""The form of the parts of a record, and the numbers that several of them hold."""

from typing import Annotated

from pydantic import ConfigDict, Field

RECORD_FORM = ConfigDict(strict=True, extra="allow", allow_inf_nan=False)
"""Of all parts of a record: types are taken literally; what a later version adds is let through."""
Count = Annotated[int, Field(ge=0, lt=2**40)]
ClassId = Annotated[int, Field(ge=1, lt=2**40)]
