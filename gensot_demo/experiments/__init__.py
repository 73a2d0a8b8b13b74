"""What a page, the API, the command line and a benchmark all call: a validated request in, progress and a result out.

No figure and no page is known here. Imports from transport, backbones and guidance.
"""
