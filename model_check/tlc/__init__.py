"""The specs in spec/, model-checked by TLC: every must-pass passes, every must-fail fails.

In the order in which they use each other:

    tools      where Java and tla2tools.jar are, and which versions they are
    config     what a spec/MC*.cfg promises in its header, and whether that makes sense
    output     TLC's messages (its -tool mode) as an outcome
    trace      a counter-example, action by action, changed variables only
    run        one TLC process
    verdict    promise against outcome: green, red, or could not run
    suite      all of them, as many at once as processors and memory allow
    command    `bwcheck tlc`
"""
