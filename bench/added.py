#!/usr/bin/env python3
"""What a first region in trouble adds, from the calls that run.sh added has logged in a folder: a Markdown table.

Each row compares the calls over both regions with those that went to the second region only, in the same seconds.
Rows "each" hold only calls that met the fault, rows "all" every call.
"""
import glob, json, os, sys

HEDGE = 100_000  # us: hedge.least, which the usual time of the mocks is below


def calls(name):
    """at, time (to first content, of a unary call to the answer), met the fault, answered; in us."""
    rows = [tuple(map(int, l.split())) for l in open(name)]
    return [(at, first, attempts > 1 or first > HEDGE - 5_000 or not good, good) for at, first, _, attempts, good in sorted(rows)]


def pct(times, p):
    times = sorted(times)
    return times[min(int(p * len(times)), len(times) - 1)] / 1000 if times else float('nan')


POINTS = (.5, .9, .99, 1)
WAVES = (95, 195, 395, 795, 1595, 3195, 15000)


def others(name):
    """What everybody else on the machine took while a cell ran, percent of a processor."""
    with open(name.replace('.both.log', '.json')) as f:
        return max(0, round(json.load(f)['other_pct']))


def row(name, which, rows, own, noise):
    times = [c[1] for c in rows if c[3]]
    base = [pct(own, p) for p in POINTS]
    took = [pct(times, p) for p in POINTS]
    late = sum(t > HEDGE + pct(own, .99) * 1000 for t in times)
    cells = [name, which, len(rows), sum(c[2] for c in rows)] + [f'{x:.1f}' for x in base] + [f'{x:.1f}' for x in took]
    cells += [f'{a - b:.1f}' for a, b in zip(took, base)] + [late, len(rows) - len(times), noise]
    print('|', ' | '.join(map(str, cells)), '|')


def waves(name, which, rows, own):
    usual, counts = pct(own, .5), [0] * (len(WAVES) + 1)
    for _, t, _, good in rows:
        counts[next((i for i, w in enumerate(WAVES) if good and t / 1000 - usual < w), len(WAVES))] += 1
    print('|', ' | '.join(map(str, [name, which] + counts)), '|')


def each(folder):
    for name in sorted(glob.glob(os.path.join(folder, '*.both.log'))):
        cell, kind, round = os.path.basename(name)[:-len('.both.log')].rsplit('.', 2)
        own = [c[1] for c in calls(name.replace('.both.', '.two.')) if c[3]]
        yield cell, f'{"stream" if "stream" in kind else "unary"} {round}', calls(name), own, name


def main(folder):
    print('| cell | kind, round | calls | met it | own p50 ms | p90 | p99 | max | took p50 ms | p90 | p99 | max | added p50 ms | p90 | p99 | max | beyond the hedge | no answer in 15 s | other CPU % |')
    print('|---' * 19 + '|')
    for cell, which, rows, own, name in each(folder):
        noise = others(name)
        if cell.startswith('0'):
            direct = [c[1] for c in calls(name.replace('.both.', '.direct.'))]
            row('second region by Fairway, added to without', which, calls(name.replace('.both.', '.two.')), direct, noise)
        if cell.endswith('.each'):
            end = rows[-1][0] - 500_000  # hedges are a share of the calls: the last ones have none after them that earn one
            rows = [c for c in rows if c[2] and c[0] < end]
        row(cell, which, rows, own, noise)
        if 'hung' in cell and cell.endswith('.all'):
            row(cell + ', first second', which, [c for c in rows if c[0] < 1_000_000], own, noise)
    print('\n| calls whose added time is, ms | kind, round | < 95 | to 195 | to 395 | to 795 | to 1595 | to 3195 | more | no answer |')
    print('|---' * 10 + '|')
    for cell, which, rows, own, _ in each(folder):
        if 'hung' in cell and cell.endswith('.all'):
            waves(cell, which, rows, own)


main(sys.argv[1])
