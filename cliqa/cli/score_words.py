"""The scores of one picture as a person reads them: each number, what it means, and whether it is a fault."""

from __future__ import annotations

from collections.abc import Sequence

from cliqa.cli.faults import FAULTS
from cliqa.metrics import Field, Metric
from cliqa.records import Record, Scalar
from cliqa.text import display


def in_words(record: Record, metrics: Sequence[Metric]) -> str:
    """Several lines about a scored picture."""
    facts = record.facts
    lines = [f"{display(record.path)}: {facts.get('format')}, {facts.get('width')} x {facts.get('height')} pixels"]
    for metric in metrics:
        for field in metric.fields:
            name = f"{metric.name}.{field.name}"
            lines.append(f"  {name:<36} {_number(record.values.get(name), field):>12}  {_meaning(name, field, record)}")
    return "\n".join([*lines, *(f"  note: {display(note)}" for note in record.notes)])


def _number(value: Scalar, field: Field) -> str:
    if value is None:
        return "none"
    return display(str(value)) if isinstance(value, str) else f"{value:.4g} {field.unit}".strip()


def _meaning(name: str, field: Field, record: Record) -> str:
    end = {"higher": ", higher is better", "lower": ", lower is better"}.get(field.better, "")
    span = "" if field.kind == "str" else f" ({field.low:g} to {field.high:g}{end})"
    fault = next((fault for fault in FAULTS if fault.column == name and fault.words), None)
    verdict = ""
    if fault is not None and record.values.get(name) is not None:
        dropped = f"; FAULT: {fault.words}, {fault.command} drops it"
        verdict = dropped if fault.shown_by(record.values) else "; no fault"
    return f"{field.meaning}{span}{verdict}"
