# SPDX-License-Identifier: Apache-2.0
"""Compares the project's chat template interpreter with jinja2 over real templates: the same text, or both refuse.

usage: check.py ARCHIVE CLASSES_DIR CACHE_DIR JAVA [NAME]     NAME: only templates whose name contains it
"""
import json
import os
import subprocess
import sys
import tarfile
import time

import chats
import expressions
import reference

HERE = os.path.dirname(os.path.abspath(__file__))
RECORDED = "../../java-api/src/test/resources/dev/puna/internal/template/jinja2.txt"
FOLDER = "/vendor/llama.cpp/models/templates/"


def templates(archive):
    """(name, source) of every template in the source package."""
    with tarfile.open(archive) as package:
        for member in sorted(package.getmembers(), key=lambda m: m.name):
            if FOLDER in member.name and member.name.endswith(".jinja"):
                yield member.name.split(FOLDER)[1], package.extractfile(member).read().decode()


def expected(environment, source, cases):
    try:
        template = environment.from_string(source)
    except Exception as error:
        return [(False, f"{type(error).__name__}: {error}")] * len(cases)
    made = []
    for _, variables, special in cases:
        try:
            # The variables go over JSON to the other side; so do they here.
            made.append((True, template.render(**{**special, **json.loads(json.dumps(variables))})))
        except Exception as error:
            made.append((False, f"{type(error).__name__}: {error}"))
    return made


def permitted():
    """Lines "template | case | reason" of differences that are known and accepted."""
    allowed = {}
    with open(os.path.join(HERE, "permitted.txt")) as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                name, case, reason = (part.strip() for part in line.split("|", 2))
                allowed[name, case] = reason
    return allowed


def main():
    archive, classes, cache, java = sys.argv[1:5]
    wanted = sys.argv[5] if len(sys.argv) > 5 else ""
    environment = reference.environment()
    shared = list(chats.cases())
    suite = [(name, source, shared) for name, source in templates(archive) if wanted in name]
    real = len(suite)
    if not wanted:
        suite += expressions.suite()
    start = time.time()
    want = [expected(environment, source, cases) for _, source, cases in suite]
    jinja_seconds = time.time() - start
    given = os.path.join(cache, "cases.json")
    results = os.path.join(cache, "results.jsonl")
    with open(given, "w") as out:
        pack = lambda cases: [[variables, special] for _, variables, special in cases]
        json.dump({"cases": pack(shared), "templates": [
            [source] if cases is shared else [source, pack(cases)] for _, source, cases in suite]}, out)
    start = time.time()
    subprocess.run([java, "-cp", classes, os.path.join(HERE, "Render.java"), given, results], check=True)
    java_seconds = time.time() - start
    with open(results) as lines:
        got = iter([json.loads(line) for line in lines])
    allowed = permitted()
    counts = {"real": [0, 0, 0, 0], "features": [0, 0, 0, 0]}
    wrong = {}
    unused = set(allowed)
    for index, ((name, _, cases), outcomes) in enumerate(zip(suite, want)):
        count = counts["real" if index < real else "features"]
        for (case, _, _), (ok, text) in zip(cases, outcomes):
            java_ok, java_text = next(got)
            count[0] += 1
            count[1 if ok else 2] += 1
            if java_ok == ok and (not ok or java_text == text):
                count[3] += 1
            elif (name, case) in allowed:
                unused.discard((name, case))
            else:
                wrong.setdefault(name, []).append((case, ok, text, java_ok, java_text))
    with open(os.path.join(HERE, RECORDED), encoding="utf-8", newline="") as file:
        if file.read() != expressions.recorded():
            wrong[RECORDED] = [("", True, "is not what jinja2 gives", True, "record it: expressions.py " + RECORDED)]
    if next(got, None) is not None:
        sys.exit("templates: more results than cases")
    for name, list_of_wrong in sorted(wrong.items()):
        case, ok, text, java_ok, java_text = list_of_wrong[0]
        print(f"DIFFERENT {name}: {len(list_of_wrong)} cases, the first: {case}")
        print(f"  jinja2: {ok} {clip(text, java_text)}\n  ours:   {java_ok} {clip(java_text, text)}")
    for name, case in sorted(unused) if not wanted else []:
        print(f"permitted but not different any more: {name} | {case}")
    for kind, (cases, rendered, raised, equal) in counts.items():
        print(f"templates: {kind}: {cases} cases, jinja2 renders {rendered} and refuses {raised}; equal {equal}")
    print(f"templates: {real} real templates, {len(shared)} cases each; {len(suite) - real} small ones; "
          f"jinja2 {jinja_seconds:.1f} s, ours {java_seconds:.1f} s with the start of Java")
    sys.exit(1 if wrong or (unused and not wanted) or real == 0 and not wanted else 0)


def clip(text, other):
    """The text around the first difference."""
    at = next((i for i, (a, b) in enumerate(zip(text, other)) if a != b), min(len(text), len(other)))
    return repr(text[max(0, at - 60):at + 100])


if __name__ == "__main__":
    main()
