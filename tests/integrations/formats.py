"""Reads what tests/report/every_rule wrote, as the platforms would: with their own validators where a package index has
them, else with the constraints that their documentation states. formats.py ROOT FOLDER [SARIF-SCHEMA]"""

import json
import re
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

import jsonschema
import junitparser
import yaml
from markdown_it import MarkdownIt
from sarif import loader

root, folder = Path(sys.argv[1]), Path(sys.argv[2])
sarif_schema = json.loads(Path(sys.argv[3]).read_text()) if len(sys.argv) > 3 else None


def shape(required, optional=None, closed=False):
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **(optional or {})},
        "additionalProperties": not closed,
    }


def one_of(*words):
    return {"enum": list(words)}


def many(items, **more):
    return {"type": "array", "items": items, **more}


text, line = {"type": "string", "minLength": 1}, {"type": "integer", "minimum": 1}
url = {"type": "string", "pattern": "^https?://.+"}

# docs.gitlab.com/ci/testing/code_quality: one entry that is not so ends the reading of the file.
CODE_QUALITY = many(
    shape(
        {
            "description": text,
            "check_name": text,
            "fingerprint": text,
            "severity": one_of("info", "minor", "major", "critical", "blocker"),
            "location": shape({"path": text, "lines": shape({"begin": line})}),
        }
    )
)

# Security report schema 15, secret detection.
time = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$"}
tool = shape({"id": text, "name": text, "version": text, "vendor": shape({"name": text})}, {"url": url})
SECRETS = shape(
    {
        "version": {"type": "string", "pattern": r"^15\.\d+\.\d+$"},
        "scan": shape(
            {
                "analyzer": tool,
                "scanner": tool,
                "start_time": time,
                "end_time": time,
                "status": one_of("success", "failure"),
                "type": {"const": "secret_detection"},
            },
            {"messages": many(shape({"level": one_of("info", "warn", "fatal"), "value": text}))},
        ),
        "vulnerabilities": many(
            shape(
                {
                    "id": text,
                    "identifiers": many(shape({"type": text, "name": text, "value": text}, {"url": url}), minItems=1),
                    "location": shape(
                        {"commit": shape({"sha": text})}, {"file": text, "start_line": line, "end_line": line}
                    ),
                    "severity": one_of("Info", "Unknown", "Low", "Medium", "High", "Critical"),
                },
                {
                    "name": {"type": "string", "maxLength": 255},
                    "description": {"type": "string", "maxLength": 1048576},
                    "solution": {"type": "string", "maxLength": 7000},
                },
            )
        ),
    }
)

# The Reviewdog Diagnostic Format.
position = shape({"line": line}, {"column": line}, closed=True)
severity = one_of("ERROR", "WARNING", "INFO")
code = shape({"value": text}, {"url": url}, closed=True)
RDJSON = shape(
    {
        "source": shape({"name": text}, {"url": url}, closed=True),
        "severity": severity,
        "diagnostics": many(
            shape(
                {
                    "message": text,
                    "location": shape({"path": text}, {"range": shape({"start": position}, {"end": position}, True)}, True),
                    "severity": severity,
                    "code": code,
                },
                closed=True,
            )
        ),
    },
    closed=True,
)

# Elements with their attributes and children: what Jenkins and GitLab read of JUnit's, and Checkstyle's own.
JUNIT = {
    "testsuites": ({"name", "tests", "failures", "errors", "time"}, {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors", "skipped", "time"}, {"testcase"}),
    "testcase": ({"classname", "name"}, {"failure", "error", "system-out"}),
    "failure": ({"type", "message"}, set()),
    "error": ({"type", "message"}, set()),
    "system-out": (set(), set()),
}
CHECKSTYLE = {
    "checkstyle": ({"version"}, {"file"}),
    "file": ({"name"}, {"error"}),
    "error": ({"line", "column", "severity", "message", "source"}, set()),
}


def elements(file, grammar):
    all_of_them = list(xml.parse(file).getroot().iter())
    assert all_of_them[0].tag == next(iter(grammar)), all_of_them[0].tag
    for element in all_of_them:
        attributes, children = grammar[element.tag]
        assert set(element.attrib) == attributes, (element.tag, element.attrib)
        assert {child.tag for child in element} <= children, element.tag
    return all_of_them


def annotations(lines):
    """Workflow commands, as the runner parses them: escapes of properties and data undone."""
    for one in lines:
        found = re.fullmatch(r"::(error|warning|notice) ([^:]*(?::(?!:)[^:]*)*)::(.*)", one)
        assert found, one
        properties = dict(p.split("=", 1) for p in found[2].split(","))
        assert properties.keys() <= {"file", "line", "endLine", "col", "endColumn", "title"}, properties
        assert not re.search(r"%(?!25|0D|0A|3A|2C)", found[2]) and not re.search(r"%(?!25|0D|0A)", found[3]), one
        if "file" in properties:
            assert int(properties["line"]) >= 1 and int(properties.get("endLine", properties["line"])) >= int(properties["line"])
            assert "col" not in properties or properties["line"] == properties["endLine"], one
        yield found[1], properties


def read(run):
    report = json.loads((run / "json").read_text())
    jsonschema.validate(report, json.loads((root / "docs/report.schema.json").read_text()))
    standing = [f for f in report["findings"] if not f["suppressed"]]
    levels = {level: sum(f["severity"] == level for f in standing) for level in ("error", "warning", "note")}
    rules = {f["rule"] for f in standing}

    records = [json.loads(r) for r in (run / "jsonl").read_text().splitlines()]
    assert [r["type"] for r in records[:-1]].count("finding") == len(report["findings"]) and records[-1]["type"] == "summary"

    sarif = json.loads((run / "sarif").read_text())
    if sarif_schema:
        jsonschema.validators.validator_for(sarif_schema)(sarif_schema).validate(sarif)
    assert loader.load_sarif_file(str(run / "sarif")).get_result_count() == len(report["findings"])
    driver = sarif["runs"][0]["tool"]["driver"]
    described = {r["id"]: r for r in driver["rules"]}
    assert len(described) == len(driver["rules"]) and not any("<" in r for r in described)
    for rule in rules:
        # In words, not by repeating the name.
        assert described[rule]["shortDescription"]["text"] != rule, rule
        assert described[rule]["fullDescription"]["text"] and described[rule]["helpUri"].startswith("https://"), rule

    quality = json.loads((run / "gitlab").read_text())
    jsonschema.validate(quality, CODE_QUALITY)
    assert len({q["fingerprint"] for q in quality}) == len(quality) == len(standing)

    secrets = json.loads((run / "gitlab-secrets").read_text())
    jsonschema.validate(secrets, SECRETS)
    wanted = [f for f in standing if f["rule"].startswith("secrets/")]
    assert len(secrets["vulnerabilities"]) == len(wanted)

    cases = [e for e in elements(run / "junit", JUNIT) if e.tag == "testcase"]
    junit = junitparser.JUnitXml.fromfile(str(run / "junit"))
    failing = {f["rule"] for f in standing if f["severity"] == "error"}
    assert (junit.tests, junit.failures, junit.errors) == (len(cases), len(failing), 0), junit
    assert len({c.get("name") for c in cases}) == len(cases)

    styles = [e for e in elements(run / "checkstyle", CHECKSTYLE) if e.tag == "error"]
    assert len(styles) == len(standing) and {e.get("severity") for e in styles} <= {"error", "warning", "info"}
    assert all(int(e.get("line")) >= 1 and int(e.get("column")) >= 1 for e in styles)

    reviewdog = json.loads((run / "rdjson").read_text())
    jsonschema.validate(reviewdog, RDJSON)
    assert len(reviewdog["diagnostics"]) == len(standing)

    told = list(annotations(l for l in (run / "github").read_text().splitlines() if l.startswith("::")))
    assert len(told) == min(len(standing), 10), len(told)
    if levels["error"] > 10:
        assert all(level == "error" for level, _ in told), "the worst are shown"

    summary = run / "summary"
    if summary.exists():
        tokens = MarkdownIt("commonmark", {"html": True}).parse(summary.read_text())
        inline = [c for t in tokens for c in t.children or []]
        raw = {t.content for t in tokens + inline if t.type.startswith("html")} - {"<br>"}
        assert not raw, raw
        headings = sum(t.type == "heading_open" and t.tag == "h3" for t in tokens)
        assert headings == len(rules), (headings, len(rules))
        assert summary.stat().st_size < 1 << 20
    return len(standing), len(rules)


for name in ("report", "portcullis"):
    jsonschema.Draft202012Validator.check_schema(json.loads((root / f"docs/{name}.schema.json").read_text()))


class Plain(yaml.SafeLoader):
    """Dates are words, as JSON has them."""


Plain.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
policy = yaml.load((root / "tests/cases/every-rule/portcullis.yaml").read_text(), Plain)
# One exception is there to have no reason.
policy["exceptions"] = [e for e in policy["exceptions"] if "reason" in e]
jsonschema.validate(policy, json.loads((root / "docs/portcullis.schema.json").read_text()))
runs = sorted(run for run in folder.iterdir() if (run / "json").exists())
assert len(runs) > 5, runs
for run in runs:
    findings, rules = read(run)
    print(f"{run.name}: {findings} findings of {rules} rules, read in ten formats")
print("the published schema of SARIF:", "held" if sarif_schema else "not at hand")
