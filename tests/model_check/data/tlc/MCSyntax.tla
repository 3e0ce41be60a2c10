---- MODULE MCSyntax ----
EXTENDS Syntax
====
