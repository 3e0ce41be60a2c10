"""Write a result as one HTML page: figures, outcomes, the counterexample beside its source."""

from __future__ import annotations

from html import escape

from model_check.explorer.result import Finding, Result

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 90em; padding: 0 1em; }
table { border-collapse: collapse; }
th, td { padding: .15em .7em; text-align: left; vertical-align: top; }
thead th { border-bottom: 2px solid #888; }
tbody tr:nth-child(even) { background: #8881; }
td.step { font-family: ui-monospace, monospace; font-size: 13px; }
td.number, td.where { color: #888; font-size: 13px; }
.note { color: #b50; }
.found { color: #b00; } .passed { color: #080; }
code { background: #8882; padding: .1em .3em; overflow-wrap: anywhere; }
"""


def _table(finding: Finding) -> str:
    threads = sorted({step.thread for step in finding.steps})
    head = "".join(f"<th>thread {thread}</th>" for thread in threads)
    rows = []
    for step in finding.steps:
        note = f' <span class="note">{escape(step.note)}</span>' if step.note else ""
        cells = "".join(
            f'<td class="step">{escape(step.text) + note if thread == step.thread else ""}</td>'
            for thread in threads
        )
        rows.append(
            f'<tr id="s{step.number}"><td class="number">{step.number}</td>{cells}'
            f'<td class="where">{escape(step.where)}</td></tr>'
        )
    return (
        f"<table><thead><tr><th></th>{head}<th></th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def write_page(result: Result, names: str) -> str:
    """Give the page's text; it needs no other file."""
    finding = result.finding
    parts = [f"<h1>{escape(names)}</h1>"]
    if finding is not None:
        where = " and ".join(place for place in (finding.where, finding.other) if place)
        parts += [
            f'<h2 class="found">{escape(finding.kind)}</h2>',
            f"<p>{escape(finding.sentence)}</p><p>{escape(where)}</p>",
            f"<p>replay: <code>{escape(finding.replay)}</code></p>",
            _table(finding),
        ]
    else:
        extent = "all" if result.exhaustive else "not all"
        parts.append(f'<h2 class="passed">nothing found ({extent} executions explored)</h2>')
    if result.outcomes:
        rows = "".join(
            f'<tr><td class="step">{escape(text)}</td><td>{count:,}</td></tr>'
            for text, count in sorted(result.outcomes.items())
        )
        parts.append(
            "<h2>outcomes</h2><table><thead><tr><th>outcome</th><th>executions</th></tr></thead>"
            f"<tbody>{rows}</tbody></table>"
        )
    parts.append(
        f"<p>{escape(result.memory_model)}, {escape(result.strategy)}, within "
        f"{escape(result.bound)}: {result.executions:,} executions in {result.seconds:.2f} s</p>"
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(names)}</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>\n"
    )
