"""A small corpus of feature sets and landmarks without a defect, into which tests plant one."""

import numpy as np
import pandas as pd


def walk(rng, rows, channels, keep=0.9):
    """Numbers (T, F) that resemble their neighbors, as measured ones do."""
    values = rng.normal(size=(rows, channels))
    for row in range(1, rows):
        values[row] = keep * values[row - 1] + np.sqrt(1 - keep**2) * values[row]
    return values.astype(np.float32)


def face(rng):
    """The 68 points of a made-up person, without the ones that nothing here reads."""
    points = np.zeros((68, 2))
    known = {36: (-45, -20), 39: (-18, -20), 42: (18, -20), 45: (45, -20), 27: (0, -20), 33: (0, 25),
             31: (-14, 22), 35: (14, 22), 1: (-72, 5), 15: (72, 5)}  # fmt: skip
    for place, point in known.items():
        points[place] = point
    for places, axis in (((39, 42), 0), ((31, 35), 0), ((33,), 1), ((1, 15), 0)):
        points[list(places), axis] *= np.exp(rng.choice([-1, 1]) * rng.uniform(0.05, 0.1))
    return points


def seen(rng, shape, rows):
    """The points (T, 68, 2) of a head that moves, tilts and comes nearer."""
    size, tilt = np.exp(0.05 * walk(rng, rows, 1, 0.97)[:, 0]), 0.1 * walk(rng, rows, 1, 0.97)[:, 0]
    turn = np.stack([np.cos(tilt), -np.sin(tilt), np.sin(tilt), np.cos(tilt)], -1).reshape(rows, 2, 2)
    return (
        np.einsum("tij,kj->tki", turn * size[:, None, None], shape) + 320 + rng.normal(0, 0.3, (rows, 68, 2))
    )


class Corpus:
    """Arrays by recording, and the table; `write` puts both on disk."""

    def __init__(self, seed=0, persons=24, visits=2):
        self.rng = rng = np.random.default_rng(seed)
        labels = rng.permutation(np.arange(persons) % 2)
        self.arrays, self.landmarks, rows = {}, {}, []
        for person in range(persons):
            shape = face(rng)
            facts = {"site": rng.choice(["A", "B", "C"]), "age": int(rng.integers(18, 70))}
            facts |= {"sex": rng.choice(["F", "M"]), "score": int(rng.integers(0, 9) + 11 * labels[person])}
            facts |= {f"trait_{name}": float(rng.normal()) for name in "OCEAN"}
            for visit in range(visits):
                name, length = f"P{person:03d}_{visit}", int(rng.integers(100, 200))
                valid = np.ones(length, dtype=bool)
                gap = int(rng.integers(10, 80))
                valid[gap : gap + int(rng.integers(1, 8))] = False
                values = walk(rng, length, 12) * valid[:, None]
                values[90:96] = values[90]  # a short still stretch
                self.arrays[name] = [values, np.arange(length) * 40.0, valid]
                self.landmarks[name] = seen(rng, shape, length)
                files = {"features_a": f"a/{name}.npz", "landmark_path": f"points/{name}.npz"}
                rows.append({"recording_id": name, "subject_id": name[:4], "session_id": "1", "path": "",
                             "scale": "PHQ-9", "task": f"task{visit}", "fps": 25.0, "duration_s": length / 25,
                             **files, **facts})  # fmt: skip
        self.table = pd.DataFrame(rows)
        self.labels = (self.table["score"] >= 10).to_numpy(dtype=float)

    def write(self, root):
        """Write all files and `manifest.csv`; returns its path."""
        for folder in ("a", "points"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        names = [f"{axis}_{place}" for place in range(68) for axis in "xy"]
        for name, (values, times, valid) in self.arrays.items():
            np.savez(root / "a" / f"{name}.npz", features=values, timestamps_ms=times, valid_mask=valid)
            points = self.landmarks[name].reshape(len(self.landmarks[name]), -1).astype(np.float32)
            np.savez(root / "points" / f"{name}.npz", values=points, channels=names, fps=25.0)
        self.table.to_csv(root / "manifest.csv", index=False)
        return root / "manifest.csv"
