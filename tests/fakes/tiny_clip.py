"""A tiny CLIP model with random weights and a few words, in the layout of clip-ViT-B-32."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

DIM = 24
SIDE = 32
WORDS = ("a", "sea", "ship", "boat", "flower", "dog", "red", "blue", "portrait", "of", "the")


def write_tiny_clip(folder: Path, *, seed: int = 0) -> Path:
    """Write a sentence-transformers CLIP of DIM floats a row and images of SIDE pixels; return the folder."""
    import torch
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPProcessor, CLIPTokenizer

    module = folder / "0_CLIPModel"
    module.mkdir(parents=True)
    letters = string.ascii_lowercase + string.digits + string.punctuation
    tokens = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{letter}</w>" for letter in letters)]
    merges: list[Any] = []  # pairs, though the signature says strings
    for word in WORDS:
        pieces = [*word[:-1], f"{word[-1]}</w>"]
        while len(pieces) > 1:
            pair = (pieces[0], pieces[1])
            if pair not in merges:
                merges.append(pair)
            pieces[:2] = [pieces[0] + pieces[1]]
            if pieces[0] not in tokens:
                tokens.append(pieces[0])
    vocabulary = {token: index for index, token in enumerate(tokens)}
    tokenizer = CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=77)
    small = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    ends = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
    config = CLIPConfig(
        text_config={**small, **ends, "vocab_size": len(vocabulary), "projection_dim": DIM},
        vision_config={**small, "image_size": SIDE, "patch_size": 8, "projection_dim": DIM},
        projection_dim=DIM,
    )
    torch.manual_seed(seed)
    CLIPModel(config).save_pretrained(module)
    images = CLIPImageProcessor(size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE})
    CLIPProcessor(images, tokenizer).save_pretrained(module)
    modules = [{"idx": 0, "name": "0", "path": module.name, "type": "sentence_transformers.models.CLIPModel"}]
    (folder / "modules.json").write_text(json.dumps(modules))
    return folder
