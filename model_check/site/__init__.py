"""The verification report: one static site made of what `make check` has written.

`claims` says what is claimed and by what evidence, `gather` reads the artefacts, `graphs` and
`layout` draw state graphs, `coverage` measures what each kind of evidence reaches of the C, `pages`
fills the templates, `command` is `bwcheck report`.
"""
