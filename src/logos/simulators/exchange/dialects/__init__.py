"""How exchanges speak: one module an exchange, over the one shared account and its market.

A dialect answers the requests that the exchange documents, in its words, its pages and its order
of rows. Each answer has its source beside it: the exchange's documentation, or an answer recorded
by ccxt (github.com/ccxt/ccxt, ts/src/test/static/response). They share no code with the adapters.
"""
