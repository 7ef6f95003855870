"""Frosst & Hinton (2017) again: soft trees on true labels, and distilled from a network.

    python case_studies/frosst_hinton/run.py mnist
    python case_studies/frosst_hinton/run.py connect-4
    python case_studies/frosst_hinton/run.py letters

trains the teacher, where ``cache/`` does not hold it yet, then the trees, and writes what each says
of the test rows to ``results/NAME.json`` as it goes: what is there already is not done again.
``--show`` prints the README's table out of those files, ``--draw`` its figure.
"""

from __future__ import annotations

import argparse
import json
import time
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import explain_distill as xd

HERE = Path(__file__).parent
CONFIG = tomllib.loads((HERE / "config.toml").read_text())
PUBLISHED = {"mnist": (94.45, 96.76), "connect-4": (78.63, 80.60), "letters": (78.0, 81.0)}
SHAPE = (28, 28)
ANSWERS = ("mixture", "path", "hard")


@cache
def load(name: str) -> tuple[xd.Dataset, xd.Dataset]:
    """Give training and test rows."""
    if name == "mnist":
        return xd.load_images("mnist")
    if name == "connect-4":  # the paper does not say which rows it tested on
        return xd.load_dataset("connect-4").split(seed=0, test_size=0.25)
    data = xd.load_dataset("letter-recognition")
    return data.take(np.arange(16_000)), data.take(np.arange(16_000, 20_000))


@cache
def taught(name: str) -> xd.CachedTeacher:
    """Read the teacher from the cache, or train it and keep it there."""
    kind = xd.ImageTeacher if name == "mnist" else xd.NeuralTeacher
    folder = HERE / "cache" / name
    if not (folder / "config.json").is_file():
        teacher = kind(**CONFIG[name].get("teacher", {}))
        teacher.fit(load(name)[0], on_epoch=lambda n, loss: print(f"epoch {n}: {loss:.4f}"))
        folder.mkdir(parents=True, exist_ok=True)
        config = {**teacher.write(folder), "fit_seconds": round(teacher.fit_seconds, 1)}
        (folder / "config.json").write_text(json.dumps(config))
    config = json.loads((folder / "config.json").read_text())
    teacher = kind.read(folder, config)
    teacher.fit_seconds = config["fit_seconds"]
    return xd.CachedTeacher(teacher)


def tree(name: str, seed: int, **changes: Any) -> xd.SoftTree:
    """Give a tree of the published depth."""
    return xd.SoftTree(**{**CONFIG[name]["tree"], "random_state": seed, **changes})


def on_true_labels(name: str, seed: int) -> xd.SoftTree:
    """Train a tree on the training rows and their true labels."""
    train = load(name)[0]
    return tree(name, seed, **CONFIG[name].get("true_labels", {})).fit(train.readable(), train.y)


def on_moved_truth(name: str, seed: int) -> xd.SoftTree:
    """Train a tree on moved images, each with the true label of the image that was moved."""
    train, rng = load(name)[0], np.random.default_rng(seed)
    shift, student = CONFIG[name]["shift"], tree(name, seed)
    blank = np.zeros((student.batch_size, SHAPE[0] + 2 * shift, SHAPE[1] + 2 * shift))

    def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        while True:
            chosen = rng.integers(len(train), size=student.batch_size)
            moved = blank.copy()
            for place, image in zip(moved, train.X[chosen], strict=True):
                down, right = rng.integers(2 * shift + 1, size=2)
                place[down:, right:][: SHAPE[0], : SHAPE[1]] = image.reshape(SHAPE)
            inner = moved[:, shift:-shift, shift:-shift].reshape(len(chosen), -1)
            yield inner, np.eye(10)[train.y[chosen]]

    return student.fit_stream(batches())


def distilled(name: str, seed: int, transfer: xd.TransferSet) -> xd.SoftTree:
    """Distil the teacher into a tree."""
    temperature = CONFIG[name].get("temperature", 1.0)
    options = {"transfer": transfer, "temperature": temperature, "seed": seed}
    return xd.distill(taught(name), tree(name, seed), load(name)[0], **options)


WAYS: dict[str, Callable[[str, int], xd.SoftTree]] = {
    "true labels": on_true_labels,
    "distilled, moved images": lambda name, seed: distilled(
        name, seed, xd.Shifts(shape=SHAPE, pixels=CONFIG[name]["shift"])
    ),
    "distilled, training rows": lambda name, seed: distilled(name, seed, xd.TrainingRows()),
    "true labels, moved images": on_moved_truth,
}
"""From the name of a way to a tree to what takes it; images are moved on MNIST alone."""


def judged(name: str, model: xd.SoftTree) -> dict[str, float]:
    """Give the accuracy on the test rows in percent, however the tree answers."""
    test = load(name)[1]
    rows = test.readable()
    return {
        inference: 100
        * float(np.mean(model.set_params(inference=inference).predict(rows) == test.y))
        for inference in ANSWERS
    }


def teacher_judged(name: str) -> dict[str, Any]:
    """Say what the teacher is, what it cost, and its accuracy on the test rows in percent."""
    teacher, test = taught(name), load(name)[1]
    accuracy = 100 * float(np.mean(teacher.teacher.predict(test.X) == test.y))
    return {
        "what": teacher.describe(),
        "accuracy": round(accuracy, 3),
        "seconds": teacher.teacher.fit_seconds,
    }


def kept(name: str, way: str, seed: int) -> Path:
    """Give the folder that a tree is kept in."""
    return HERE / "cache" / name / f"{way} {seed}".replace(",", "").replace(" ", "-")


def one_tree(name: str, way: str, seed: int) -> dict[str, Any]:
    """Make a tree, keep it in the cache, and give its figures."""
    taught(name)
    wall, processor = time.perf_counter(), time.process_time()
    model = WAYS[way](name, seed)
    seconds = {
        "seconds": round(time.perf_counter() - wall, 1),
        "processor_seconds": round(time.process_time() - processor, 1),
    }
    kept(name, way, seed).mkdir(exist_ok=True)
    model.write(kept(name, way, seed))
    accuracy = {key: round(value, 3) for key, value in judged(name, model).items()}
    return {"way": way, "seed": seed, **accuracy, **seconds}


def run(name: str, ways: list[str]) -> None:
    """Do what is not done yet, way by way and seed by seed."""
    path = HERE / "results" / f"{name}.json"
    results: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {"trees": []}
    results["settings"] = CONFIG[name]
    results.setdefault("teacher", None)
    results["teacher"] = results["teacher"] or teacher_judged(name)
    done = {(one["way"], one["seed"]) for one in results["trees"]}
    for way in ways:
        for seed in CONFIG["seeds"]:
            if (way, seed) in done or ("moved" in way and name != "mnist"):
                continue
            results["trees"].append(one_tree(name, way, seed))
            print(results["trees"][-1], flush=True)
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(results, indent=1) + "\n")


def draw(way: str = "distilled, moved images", seed: int = 0) -> None:
    """Draw the gates of a tree of digits that is kept, over the test images."""
    test, model = load("mnist")[1], tree("mnist", seed)
    model.read(kept("mnist", way, seed), {})
    model.classes_ = np.arange(10)
    model.set_names(test.schema, test.task.class_names)
    figure = xd.draw_gates(model, test.readable(), SHAPE)
    figure.savefig(HERE / "gates.png", dpi=100)


def shown() -> str:
    """Give the published and the measured accuracies as a table in Markdown."""
    lines = [
        "| data | tree | published | mixture | most probable path | hard | seconds |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, (hard, soft) in PUBLISHED.items():
        path = HERE / "results" / f"{name}.json"
        trees = json.loads(path.read_text())["trees"] if path.is_file() else []
        for way in WAYS:
            found = [one for one in trees if one["way"] == way]
            if not found:
                continue
            published = soft if "distilled" in way else hard if way == "true labels" else ""
            cells = [f"{_mean(found, key)}" for key in ANSWERS]
            seconds = f"{np.mean([one['seconds'] for one in found]):.0f}"
            lines.append(f"| {name} | {way} | {published} | {' | '.join(cells)} | {seconds} |")
    return "\n".join(lines)


def _mean(found: list[dict[str, Any]], key: str) -> str:
    values = [one[key] for one in found]
    return f"{np.mean(values):.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="?", choices=PUBLISHED)
    parser.add_argument("--way", choices=WAYS, help="this way alone; all, if left out")
    parser.add_argument("--show", action="store_true", help="print the table of what is there")
    parser.add_argument("--draw", action="store_true", help="draw gates.png")
    arguments = parser.parse_args()
    if arguments.name:
        run(arguments.name, [arguments.way] if arguments.way else list(WAYS))
    if arguments.draw:
        draw()
    if arguments.show:
        print(shown())
