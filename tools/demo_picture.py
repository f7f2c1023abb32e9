"""Draws what a terminal shows, as SVG.

demo_picture.py TITLE PICTURE.svg <OUTPUT: the output with its colours, as tests/e2e/scripts/terminal.py gives it.
"""
import html
import re
import sys

WIDTH, HEIGHT, MARGIN = 8.4, 18, 16
BACKGROUND, PLAIN = "#1d1f21", "#d0d0d0"
COLOURS = {"31": "#ff6b6b", "32": "#8ad08a", "33": "#f0c674", "34": "#81a2be", "35": "#c39ac9", "36": "#7fc8c8"}


def drawn(line):
    """The line's pieces, each in its colour."""
    text, fill, weight = "", PLAIN, ""
    for piece in re.split(r"(\x1b\[[0-9;]*m)", line):
        if piece.startswith("\x1b"):
            codes = piece[2:-1].split(";")
            fill = next((COLOURS[code] for code in codes if code in COLOURS), PLAIN)
            weight = ' font-weight="bold"' if "1" in codes else ""
        elif piece:
            text += f'<tspan fill="{fill}"{weight}>{html.escape(piece)}</tspan>'
    return text


def main(title, picture):
    lines = [title] + sys.stdin.read().rstrip().split("\n")
    longest = max(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) for line in lines)
    width, height = longest * WIDTH + 2 * MARGIN, len(lines) * HEIGHT + 2 * MARGIN
    with open(picture, "w") as file:
        file.write(
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" '
            f'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14" xml:space="preserve">\n'
            f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>\n'
        )
        for number, line in enumerate(lines):
            file.write(f'<text x="{MARGIN}" y="{MARGIN + 13 + number * HEIGHT}">{drawn(line)}</text>\n')
        file.write("</svg>\n")


main(*sys.argv[1:])
