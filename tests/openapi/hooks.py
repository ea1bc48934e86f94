"""Texts for the formats of the document that JSON Schema has no words for."""

import schemathesis
from hypothesis import strategies as st

# what Rust's regular expressions and JSON Schema's have in common
schemathesis.openapi.format("regex", st.sampled_from(["one", "^o.e$", "[a-z]+", "(?:one|two) ?", "\\d{1,3}"]))

LEVELS = ["trace", "debug", "info", "notice", "warning", "error", "critical"]


@st.composite
def levels(draw):
    low = draw(st.integers(0, len(LEVELS) - 1))
    high = draw(st.integers(low, len(LEVELS) - 1))
    return draw(st.sampled_from([LEVELS[low], f"{LEVELS[low]}..{LEVELS[high]}", f"{LEVELS[low]}..", "30"]))


schemathesis.openapi.format("level", levels())
