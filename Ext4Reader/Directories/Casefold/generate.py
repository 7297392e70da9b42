#!/usr/bin/env python3
"""Writes FoldingTable.cs: what names of casefolded directories are compared by.

    apt install unicode-data
    ./generate.py [/usr/share/unicode] > FoldingTable.cs

ext4's encoding utf8-12.1 compares names after three steps: full case folding (CaseFolding.txt, statuses C and F), canonical decomposition
(UnicodeData.txt, applied until nothing changes) and removal of what nobody sees (DerivedCoreProperties.txt, Default_Ignorable_Code_Point).
A code point that Unicode 12.1 does not assign (DerivedAge.txt) stays as it is. Unicode promises that decomposition and folding of an
assigned code point never change, so any later version of the files gives the same table. Hangul syllables are left to
arithmetic, and the plane of tags, all of which are removed, to a comparison.
"""
import base64
import sys

NEWEST = (12, 1)
LAST = 0x110000
HANGUL = range(0xAC00, 0xD7A4)
TAGS = range(0xE0000, 0xE1000)


def fields(name):
    with open(f"{FOLDER}/{name}", encoding="utf-8") as file:
        for line in file:
            line = line.split("#")[0].strip()
            if line:
                yield [field.strip() for field in line.split(";")]


def span(text):
    first, _, last = text.partition("..")
    return range(int(first, 16), int(last or first, 16) + 1)


def number(value, size=3):
    return value.to_bytes(size, "little")


def literal(name, summary, data):
    text = base64.b64encode(data).decode()
    pieces = [text[at:at + 120] for at in range(0, len(text), 120)]
    print(f"    /// <summary>{summary}</summary>")
    print(f"    internal static ReadOnlySpan<byte> {name} =>")
    print("\n".join(f'        "{piece}"u8{";" if at == len(pieces) - 1 else ""}' if at == 0 else f'        + "{piece}"u8{";" if at == len(pieces) - 1 else ""}'
                    for at, piece in enumerate(pieces)))


FOLDER = sys.argv[1] if len(sys.argv) > 1 else "/usr/share/unicode"

assigned, newer = [False] * LAST, [False] * LAST
for where, age in fields("DerivedAge.txt"):
    for point in span(where):
        (assigned if tuple(map(int, age.split("."))) <= NEWEST else newer)[point] = True

classes, maps = [0] * LAST, {}
for line in fields("UnicodeData.txt"):
    point = int(line[0], 16)
    if not assigned[point]:
        continue
    classes[point] = int(line[3])
    if line[5] and not line[5].startswith("<"):
        maps[point] = [int(part, 16) for part in line[5].split()]
for where, status, target, *_ in fields("CaseFolding.txt"):
    if status in "CF" and assigned[int(where, 16)]:
        maps[int(where, 16)] = [int(part, 16) for part in target.split()]
for where, name in ((line[0], line[1]) for line in fields("DerivedCoreProperties.txt")):
    if name == "Default_Ignorable_Code_Point":
        for point in span(where):
            if not newer[point]:
                maps[point] = []


def expand(point):
    return [last for part in maps[point] for last in (expand(part) if part in maps else [part])]


entries, pool = [], []
for point in sorted(maps):
    if point not in HANGUL and point not in TAGS:
        entries.append((point, len(pool)))
        pool += expand(point)
entries.append((LAST, len(pool)))

runs = [point for point in range(1, LAST) if classes[point] != classes[point - 1]]

print("""// Made by generate.py from the data files of Unicode, which come under the licence in LICENSE.unicode. Not to be edited.
namespace Ext4Reader.Directories.Casefold;

/// <summary>Data of Unicode 12.1 in base64; numbers are little-endian.</summary>
internal static class FoldingTable
{""")
literal("Classes", "Code points (3 bytes) and the combining class (1 byte) from there on.",
        b"".join(number(point) + bytes([classes[point]]) for point in runs))
print()
literal("Entries", "Code points that change (3 bytes) and where in the pool what they become starts (2 bytes); it ends where the next one's does.",
        b"".join(number(point) + number(start, 2) for point, start in entries))
print()
literal("Pool", "Code points (3 bytes each).", b"".join(map(number, pool)))
print("}")
print(f"{len(runs)} class runs, {len(entries)} entries, {len(pool)} in the pool", file=sys.stderr)
