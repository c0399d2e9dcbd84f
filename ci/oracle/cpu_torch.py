# SPDX-License-Identifier: Apache-2.0
"""Lets the stock Linux wheel of torch load where its CUDA libraries are absent.

    python cpu_torch.py       with the interpreter whose torch it is; needs cc and readelf

The wheel is linked against libraries that a CPU never calls. For each one that is missing an empty stand-in is compiled
into torch's own folder: every function that torch asks it for exists and reports that there is no device.
"""

import collections
import importlib.util
import pathlib
import re
import subprocess
import sys
import tempfile

NO_DEVICE = 100  # cudaErrorNoDevice
OWNERS = {"libnccl": ("nccl", "pnccl"), "libcufile": ("cuFile",), "libcusparseLt": ("cusparseLt",),
          "libnvshmem_host": ("nvshmem",)}  # whose functions carry no version, by prefix


def readelf(option: str, library: pathlib.Path) -> str:
    done = subprocess.run(["readelf", "-W", option, str(library)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True, check=True)
    return done.stdout


def foreign(name: str) -> bool:
    return name.startswith(("libcu", "libnv", "libnccl"))


def survey(libraries):
    """For each library that is asked for: its version name, and the functions wanted under it or under none."""
    version, wanted, plain, needed = {}, collections.defaultdict(set), set(), set()
    for library in libraries:
        needed |= {n for n in re.findall(r"NEEDED\).*\[(.+?)\]", readelf("-d", library)) if foreign(n)}
        for name, tag in re.findall(r"File: (\S+)\s+Cnt: \d+\n\s+\S+\s+Name: (\S+)", readelf("-V", library)):
            if foreign(name):
                version[name] = tag
        for symbol, tag in re.findall(r" UND ([\w.$]+)(?:@+([\w.]+))?", readelf("--dyn-syms", library)):
            wanted[tag].add(symbol) if tag else plain.add(symbol)
    return version, wanted, plain, needed


def compile_stand_in(path: pathlib.Path, versioned: set[str], plain: set[str], tag: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source, exports = pathlib.Path(folder, "empty.c"), pathlib.Path(folder, "exports")
        functions = [f'const char *{s}(void) {{ return "no device"; }}' if "String" in s or "ErrorName" in s else
                     f"long {s}(void) {{ return {NO_DEVICE}; }}" for s in sorted(versioned | plain)]
        source.write_text("\n".join(functions) + "\n")
        command = ["cc", "-shared", "-fPIC", "-w", "-fno-builtin", "-o", str(path), str(source), f"-Wl,-soname,{path.name}"]
        if versioned:
            exports.write_text(f"{tag} {{ {' '.join(s + ';' for s in sorted(versioned))} }};\n")
            command.append(f"-Wl,--version-script={exports}")
        subprocess.run(command, check=True)


def main() -> None:
    folder = pathlib.Path(importlib.util.find_spec("torch").origin).parent / "lib"
    version, wanted, plain, needed = survey(sorted([*folder.glob("lib*torch*.so"), *folder.glob("libc10*.so")]))
    for name in sorted(needed):
        if not (folder / name).exists():
            stem = name.split(".")[0]
            unversioned = {s for s in plain if s.startswith(OWNERS.get(stem, ()))} if stem in OWNERS else set()
            compile_stand_in(folder / name, wanted.get(version.get(name), set()), unversioned, version.get(name, ""))
            print(f"stand-in for {name}", file=sys.stderr)


if __name__ == "__main__":
    main()
