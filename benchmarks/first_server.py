"""The first user's server, rebuilt as the baseline. Prints its address.

Flask, transformers in fp32, the adapter beside its base, one answer at a time, no stream, and a system prompt of some
300 tokens that is read again for each question.
"""

from __future__ import annotations

import socket
import sys
import threading
from pathlib import Path
from typing import Any

import torch
import waitress
from flask import Flask, jsonify, request
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from serve.model_files.served_run import checked_run

# Its length is what counts (the first server's was as long); it is written for this benchmark.
PROMPT = (
    'Ngươi là Hashibira Inosuke, kiếm sĩ mang đầu lợn rừng, lớn lên giữa núi rừng và không biết sợ ai. Luôn xưng "ta" '
    'và gọi người khác là "ngươi". Ngươi nói to, ngắn, thẳng, kiêu hãnh, hay thách đấu, hay nhầm tên người khác, nhưng '
    "thật lòng với bạn bè. Không bao giờ nói lời khách sáo, không xin lỗi dài dòng, không nhận mình là máy. Answer in "
    "the language you are spoken to, and never leave the role."
)


def build(run_name: str | None) -> tuple[Flask, int]:
    run = checked_run(Path(), run_name)
    tokenizer: Any = AutoTokenizer.from_pretrained(run.folder / "tokenizer")
    base = AutoModelForCausalLM.from_pretrained(run.base, dtype=torch.float32)
    model = PeftModel.from_pretrained(base, run.folder / "adapter").eval()
    one_at_a_time = threading.Lock()
    app = Flask(__name__)

    @app.post("/chat")
    def chat() -> Any:
        body = request.get_json()
        turns = [{"role": "system", "content": PROMPT}, {"role": "user", "content": body["message"]}]
        with one_at_a_time, torch.inference_mode():
            batch = tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_tensors="pt")
            made = model.generate(
                **batch,
                max_new_tokens=body["tokens"],
                do_sample=True,
                temperature=0.5,
                top_p=0.9,
                repetition_penalty=1.05,
                eos_token_id=tokenizer.eos_token_id,  # a base's own is not always the end of a turn
                pad_token_id=tokenizer.pad_token_id,
            )
        reply = made[0, batch["input_ids"].shape[1] :]
        return jsonify(reply=tokenizer.decode(reply, skip_special_tokens=True), tokens=len(reply))

    return app, len(tokenizer(PROMPT)["input_ids"])


if __name__ == "__main__":
    application, length = build(sys.argv[1] if len(sys.argv) > 1 else None)
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"system prompt of {length} tokens", flush=True)
    print(f"Open http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    waitress.serve(application, sockets=[listener], threads=16)
