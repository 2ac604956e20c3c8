#!/usr/bin/env python3
"""The include check itself: that it finds what it must, and nothing else."""
import pathlib
import tempfile

import check_includes

with tempfile.TemporaryDirectory() as folder:
    src = pathlib.Path(folder)
    for name in ("base", "wire", "capture", "cli"):
        (src / name).mkdir()
    (src / "CMakeLists.txt").write_text("glasspost_folder(base LIBRARIES x)\nglasspost_folder(wire USES base LIBRARIES y)\nglasspost_folder(capture USES base wire)\n")
    (src / "wire/good.cc").write_text('#include "base/a.h"\n#include "wire/b.h"\n#include <vector>\n')
    (src / "cli/main.cc").write_text('#include "capture/a.h"\n#include <thread>\n')
    assert list(check_includes.faults(src)) == [], list(check_includes.faults(src))
    (src / "wire/bad.cc").write_text('#include "capture/a.h"\n')
    (src / "base/bad.h").write_text('  #  include "wire/a.h"\n')
    (src / "capture/bad.h").write_text("#include <thread>\n")
    found = list(check_includes.faults(src))
    assert len(found) == 3, found
print("include check: ok")
