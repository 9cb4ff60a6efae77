#!/usr/bin/env python3
"""Asks llama.cpp for token ids and first-token logprobs and writes the goldens of `crates/engine/tests`.

Usage: make_goldens.py --oracle ORACLE --tiny FOLDER --smollm2 FILE.gguf

README.md beside this file tells how to build ORACLE and to write FOLDER. The goldens are hashes where ids are many, so
that they stay small: a difference is found by line (SmolLM2) or by block of lines (tiny vocabularies), and the oracle
then shows the ids.
"""

import argparse
import hashlib
import pathlib
import subprocess

GOLDEN = pathlib.Path(__file__).resolve().parents[3] / "crates/engine/tests/golden"
BLOCK = 64
TOP = 20
TINY_TOP = 12
TINY_PROMPTS = 4


def ask(oracle, *arguments, lines):
    """The oracle's answers, one for each line."""
    text = b"".join(line + b"\n" for line in lines)
    answer = subprocess.run([oracle, *map(str, arguments)], input=text, stdout=subprocess.PIPE, check=True).stdout
    answers = answer.decode().split("\n")[:-1]
    assert len(answers) == len(lines), (arguments, len(answers), len(lines))
    return answers


def read_lines(path):
    return path.read_bytes().split(b"\n")[:-1]


def file_hash(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def short_hash(text, digits):
    return hashlib.sha256(text.encode()).hexdigest()[:digits]


def write(path, lines):
    path.write_text("".join(line + "\n" for line in lines))


def smollm2_ids(oracle, model, corpus):
    """Per line: hashes of the ids with and without special tokens; every 100th line also its ids."""
    parsed, plain = (ask(oracle, "tokenize", model, flags, lines=corpus) for flags in ("sp", "-"))
    yield f"model {file_hash(model)}"
    for index, (first, second) in enumerate(zip(parsed, plain)):
        shown = f" {first}" if index % 100 == 0 else ""
        yield f"{short_hash(first, 8)} {short_hash(second, 8)}{shown}"


def vocabulary_ids(oracle, folder, corpus):
    """Per file: its hash, then one hash for each block of lines, over the ids with and without special tokens."""
    for path in sorted(folder.glob("*.gguf")):
        yield f"file {path.stem} {file_hash(path)}"
        parsed, plain = (ask(oracle, "tokenize", path, flags, lines=corpus) for flags in ("sp", "-"))
        hashes = []
        for start in range(0, len(corpus), BLOCK):
            block = zip(parsed[start : start + BLOCK], plain[start : start + BLOCK])
            hashes.append(short_hash("".join(f"{first}\n{second}\n" for first, second in block), 12))
        yield " ".join(hashes)


def tiny_logprobs(oracle, folder, prompts):
    for path in sorted(folder.glob("*.gguf")):
        yield f"file {path.stem} {file_hash(path)}"
        yield from ask(oracle, "logprobs", path, TINY_TOP, lines=prompts)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--oracle", required=True, help="the program built from oracle.cpp")
    parser.add_argument("--tiny", required=True, type=pathlib.Path, help="folder written by write_tiny_models")
    parser.add_argument("--smollm2", required=True, type=pathlib.Path, help="SmolLM2-135M-Instruct.Q4_1.gguf")
    options = parser.parse_args()
    corpus = read_lines(GOLDEN / "tokenizer/corpus.txt")
    prompts = read_lines(GOLDEN / "logprobs/prompts.txt")
    oracle = options.oracle
    write(GOLDEN / "tokenizer/smollm2-135m.txt", smollm2_ids(oracle, options.smollm2, corpus))
    write(GOLDEN / "tokenizer/vocabularies.txt", vocabulary_ids(oracle, options.tiny / "vocabularies", corpus))
    answers = ask(oracle, "logprobs", options.smollm2, TOP, lines=prompts)
    write(GOLDEN / "logprobs/smollm2-135m.txt", [f"model {file_hash(options.smollm2)}", *answers])
    write(GOLDEN / "logprobs/tiny.txt", tiny_logprobs(oracle, options.tiny / "models", prompts[:TINY_PROMPTS]))


if __name__ == "__main__":
    main()
