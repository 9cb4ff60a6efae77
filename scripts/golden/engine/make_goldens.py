#!/usr/bin/env python3
"""Asks llama.cpp for token ids and first-token logprobs and writes the goldens of `crates/engine/tests`.

Usage: make_goldens.py --oracle ORACLE --exact-lib FOLDER --tiny FOLDER --smollm2 FILE.gguf --gemma3 FILE.gguf

README.md beside this file tells how to build ORACLE and to write the folders. The goldens are hashes where ids are many, so
that they stay small: a difference is found by line (SmolLM2) or by block of lines (tiny vocabularies), and the oracle
then shows the ids.
"""

import argparse
import hashlib
import os
import pathlib
import subprocess

GOLDEN = pathlib.Path(__file__).resolve().parents[3] / "crates/engine/tests/golden"
BLOCK = 64
TOP = 20
TINY_TOP = 12
TINY_PROMPTS = 4


def ask(oracle, *arguments, lines, libraries=None):
    """The oracle's answers, one for each line; `libraries` is a folder whose libraries go before its own."""
    text = b"".join(line + b"\n" for line in lines)
    environment = os.environ | ({"LD_LIBRARY_PATH": str(libraries.resolve())} if libraries else {})
    command = [oracle, *map(str, arguments)]
    answer = subprocess.run(command, input=text, stdout=subprocess.PIPE, check=True, env=environment).stdout
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


def block_hashes(oracle, path, corpus):
    """One hash for each block of lines, over the ids with and without special tokens."""
    parsed, plain = (ask(oracle, "tokenize", path, flags, lines=corpus) for flags in ("sp", "-"))
    hashes = []
    for start in range(0, len(corpus), BLOCK):
        block = zip(parsed[start : start + BLOCK], plain[start : start + BLOCK])
        hashes.append(short_hash("".join(f"{first}\n{second}\n" for first, second in block), 12))
    return " ".join(hashes)


def line_hashes(oracle, path, lines):
    """Two hashes for each line: of the ids with and without special tokens."""
    parsed, plain = (ask(oracle, "tokenize", path, flags, lines=lines) for flags in ("sp", "-"))
    return " ".join(f"{short_hash(first, 6)}{short_hash(second, 6)}" for first, second in zip(parsed, plain))


def vocabulary_ids(oracle, folder, corpus):
    """Per file: its hash, then the hashes of the corpus' blocks."""
    for path in sorted(folder.glob("*.gguf")):
        yield f"file {path.stem} {file_hash(path)}"
        yield block_hashes(oracle, path, corpus)


def turn_ids(oracle, paths, turns):
    """Per file: its hash, then the hashes of the lines that are full of special tokens."""
    for path in paths:
        yield f"file {path.stem} {file_hash(path)}"
        yield line_hashes(oracle, path, turns)


def gemma3_ids(oracle, model, corpus, turns):
    yield f"model {file_hash(model)}"
    yield block_hashes(oracle, model, corpus)
    yield line_hashes(oracle, model, turns)


def tiny_logprobs(oracle, folder, prompts, libraries=None):
    for path in sorted(folder.glob("*.gguf")):
        yield f"file {path.stem} {file_hash(path)}"
        yield from ask(oracle, "logprobs", path, TINY_TOP, lines=prompts, libraries=libraries)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--oracle", required=True, help="the program built from oracle.cpp")
    parser.add_argument("--tiny", required=True, type=pathlib.Path, help="folder written by write_tiny_models")
    parser.add_argument("--exact-lib", required=True, type=pathlib.Path, help="folder of the library without GELU's table")
    parser.add_argument("--smollm2", required=True, type=pathlib.Path, help="SmolLM2-135M-Instruct.Q4_1.gguf")
    parser.add_argument("--gemma3", required=True, type=pathlib.Path, help="gemma-3-270m-q4_k_m.gguf")
    options = parser.parse_args()
    corpus = read_lines(GOLDEN / "tokenizer/corpus.txt")
    prompts = read_lines(GOLDEN / "logprobs/prompts.txt")
    turns = read_lines(GOLDEN / "tokenizer/turns.txt")
    base_prompts = read_lines(GOLDEN / "logprobs/base_prompts.txt")
    oracle = options.oracle
    write(GOLDEN / "tokenizer/smollm2-135m.txt", smollm2_ids(oracle, options.smollm2, corpus))
    write(GOLDEN / "tokenizer/vocabularies.txt", vocabulary_ids(oracle, options.tiny / "vocabularies", corpus))
    vocabularies = sorted((options.tiny / "vocabularies").glob("*.gguf"))
    write(GOLDEN / "tokenizer/turn_ids.txt", turn_ids(oracle, vocabularies, turns))
    write(GOLDEN / "tokenizer/gemma3-270m.txt", gemma3_ids(oracle, options.gemma3, corpus, turns))
    models = [("smollm2-135m", options.smollm2, prompts, None), ("gemma3-270m", options.gemma3, base_prompts, options.exact_lib)]
    for name, model, asked, libraries in models:
        answers = ask(oracle, "logprobs", model, TOP, lines=asked, libraries=libraries)
        write(GOLDEN / f"logprobs/{name}.txt", [f"model {file_hash(model)}", *answers])
    write(GOLDEN / "logprobs/tiny.txt", tiny_logprobs(oracle, options.tiny / "models", prompts[:TINY_PROMPTS]))
    answers = tiny_logprobs(oracle, options.tiny / "architectures", prompts[:TINY_PROMPTS], options.exact_lib)
    write(GOLDEN / "logprobs/architectures.txt", answers)


if __name__ == "__main__":
    main()
