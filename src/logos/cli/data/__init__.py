"""`logos data`: `command` has its subcommands; `fetch` and `synth` have modules of their own."""
