"""Many pieces of work, here or on a cluster: what they are, what is kept of them, and what is still missing.

Only :mod:`.cluster` imports Ray, which is an extra: ``pip install -e '.[sweep]'``.
"""
