"""``stacklesslib``: the library of locks, timeouts and a main loop that came with Stackless Python.

What programs import of it is here, over the runtime: `app`, `base`, `errors`, `locks`, `magic`, `main`, `monkeypatch`
and `util`.
"""
