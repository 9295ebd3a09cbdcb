#!/usr/bin/python3
"""junit_counts.py REPORT: prints "PASSED FAILED" of a JUnit report; a test that failed and then failed again while
it was taken down is one failure."""

import sys
import xml.etree.ElementTree as ElementTree

outcomes = {}
for case in ElementTree.parse(sys.argv[1]).iter("testcase"):
    name = (case.get("classname"), case.get("name"))
    marks = {child.tag for child in case}
    outcome = "failed" if marks & {"failure", "error"} else "skipped" if "skipped" in marks else "passed"
    if outcomes.get(name) != "failed":
        outcomes[name] = outcome
print(list(outcomes.values()).count("passed"), list(outcomes.values()).count("failed"))
