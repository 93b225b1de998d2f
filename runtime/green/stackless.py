"""``stackless``: not in the standard library, but what programs for Stackless Python import (`runtime.stackless`)."""

import sys

from runtime import stackless

sys.modules[__name__] = stackless
