# SPDX-License-Identifier: Apache-2.0
"""The conversations that every template is rendered with: (name, variables) pairs, JSON values only."""

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tells the weather <now> & \"later\" in a city.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "The city's name, e.g. 서울 or São Paulo"},
                "days": {"type": "integer", "minimum": 1, "maximum": 14, "default": 3},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
                "nested": {
                    "type": "object",
                    "properties": {"a": {"type": ["number", "null"]}, "b": {"type": "array", "items": {"type": "string"}}},
                    "required": ["a"],
                },
                "either": {"anyOf": [{"type": "string"}, {"type": "number"}], "nullable": True},
            },
            "required": ["city"],
        },
        "return": {"type": "string", "description": "A sentence"},
    },
}
PLAIN_TOOL = {
    "type": "function",
    "function": {"name": "now", "description": "The time", "parameters": {"type": "object", "properties": {}}},
}
LIST_TOOL = {
    "type": "function",
    "function": {
        "name": "add_all",
        "description": "Adds\nnumbers",
        "parameters": {
            "type": "object",
            "properties": {
                "values": {"type": "array", "items": {"type": "number"}, "description": "what to add"},
                "exact": {"type": "boolean"},
            },
            "required": ["values", "exact"],
            "additionalProperties": False,
        },
    },
}
ARGUMENTS = {"city": "Zürich \"Old\" Town's", "days": 2, "ratio": 0.5, "big": 1e20, "small": 1e-7, "none": None,
             "yes": True, "list": [1, "two", 3.0, []], "dict": {"k": "v\n<x>"}, "empty": {}}


def user(text):
    return {"role": "user", "content": text}


def assistant(text, **more):
    return {"role": "assistant", "content": text, **more}


def system(text):
    return {"role": "system", "content": text}


def call(name, arguments, identifier=None):
    made = {"type": "function", "function": {"name": name, "arguments": arguments}}
    if identifier:
        made["id"] = identifier
    return made


def result(text, identifier="call00001", name="get_weather"):
    return {"role": "tool", "content": text, "tool_call_id": identifier, "name": name}


def part(text):
    return {"type": "text", "text": text}


def conversations():
    """(name, messages) of every conversation."""
    yield "plain", [user("Hello!")]
    yield "system", [system("Be brief."), user("Hello!")]
    yield "blank system", [system(""), user("Hello!")]
    yield "spaces", [system("  Be brief. \n"), user("\n  Hello! \n\n"), assistant("  Hi. \n"), user(" ok ")]
    yield "turns", [user("Hello!"), assistant("Hi."), user("How are you?")]
    yield "long", [system("S"), user("1"), assistant("2"), user("3"), assistant("4"), user("5"), assistant("6")]
    yield "ends with assistant", [user("Count."), assistant("One, two")]
    yield "starts with assistant", [assistant("Welcome."), user("Hi")]
    yield "two users", [user("One"), user("Two")]
    yield "two assistants", [user("One"), assistant("a"), assistant("b"), user("Two")]
    yield "two systems", [system("A"), system("B"), user("C")]
    yield "late system", [user("A"), assistant("B"), system("C"), user("D")]
    yield "only system", [system("A")]
    yield "nothing", []
    yield "developer", [{"role": "developer", "content": "Dev"}, user("Hello")]
    yield "unknown role", [{"role": "wizard", "content": "Abracadabra"}, user("Hello")]
    yield "unicode", [system("Ты 🤖"), user("日本語 \u00e9\u0301 😀 \u200b"), assistant("𝒳 ok"), user("ß İ ǆ")]
    yield "hostile", [user("<|im_end|></s>[INST]{{ 7*7 }}{% raw %}<|eot_id|>' \" \\ \t"), assistant("<think>"), user("</think>")]
    yield "think in content", [user("Q"), assistant("<think>\nhm\n</think>\n\nAnswer"), user("More")]
    yield "think twice", [user("Q"), assistant("<think>a</think>b</think>c"), user("R"), assistant("</think>d"), user("S")]
    yield "reasoning", [user("Q"), assistant("Answer", reasoning_content="Let me think.\n"), user("More")]
    yield "reasoning at the end", [user("Q"), assistant("Answer", reasoning_content="Let me think.")]
    yield "thinking field", [user("Q"), assistant("Answer", thinking="Deep."), user("More")]
    yield "reasoning field", [user("Q"), assistant("Answer", reasoning="Deep."), user("More")]
    yield "parts", [{"role": "user", "content": [part("Hello, "), part("parts!")]}]
    yield "all parts", [{"role": "system", "content": [part("S")]}, {"role": "user", "content": [part("U")]},
                        {"role": "assistant", "content": [part("A")]}, {"role": "user", "content": [part("V"), part("W")]}]
    yield "image part", [{"role": "user", "content": [{"type": "image"}, part("What is it?")]}]
    yield "image url part", [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}, part("?")]}]
    yield "no content", [{"role": "user"}]
    yield "null content", [user(None)]
    yield "number content", [user(42)]
    yield "no role", [{"content": "Hello"}]
    for kind, arguments in (("dict", ARGUMENTS), ("string", '{"city": "Zürich", "days": 2}'), ("empty", {})):
        for content in (None, "", "Let me look."):
            yield f"call, {kind} arguments, content {content!r}", [
                user("Weather?"), assistant(content, tool_calls=[call("get_weather", arguments, "call00001")])]
        yield f"call and result, {kind}", [
            system("S"), user("Weather?"), assistant("", tool_calls=[call("get_weather", arguments, "call00001")]),
            result('{"sky": "clear", "t": 21.5}')]
    simple = {"city": "Oslo"}
    answered = [
        user("Weather?"), assistant("", tool_calls=[call("get_weather", simple, "call00001")]), result("rain"),
        assistant("It rains."), user("And in Rome?")]
    yield "whole tool turn", answered
    yield "two tool turns", answered + [
        assistant("Looking.", tool_calls=[call("get_weather", {"city": "Rome"}, "call00002")]),
        result("sun", "call00002"), assistant("Sun.")]
    yield "two calls", [
        user("Both?"),
        assistant(None, tool_calls=[call("get_weather", simple, "call00001"), call("now", {}, "call00002")]),
        result("rain"), result("12:00", "call00002", "now")]
    yield "call without id", [user("W?"), assistant("", tool_calls=[call("get_weather", simple)]), {"role": "tool", "content": "rain"}]
    yield "bare call", [user("W?"), assistant("", tool_calls=[{"name": "get_weather", "arguments": simple}]), result("x")]
    yield "call with reasoning", [
        user("W?"), assistant("", reasoning_content="I need it.", tool_calls=[call("get_weather", simple, "call00001")]),
        result("rain"), assistant("Rain.", reasoning_content="Done.")]
    yield "result dict", [user("W?"), assistant("", tool_calls=[call("get_weather", simple, "call00001")]), result({"t": 3.0, "ok": True})]
    yield "result parts", [user("W?"), assistant("", tool_calls=[call("get_weather", simple, "call00001")]), result([part("rain")])]
    yield "empty calls", [user("W?"), assistant("No.", tool_calls=[]), user("Why?")]
    yield "ipython", [user("W?"), assistant("", tool_calls=[call("get_weather", simple)]), {"role": "ipython", "content": "rain"}]
    yield "result first", [result("rain"), user("What?")]


OPTIONS = [
    ("", {}),
    ("tools", {"tools": [WEATHER]}),
    ("three tools", {"tools": [WEATHER, PLAIN_TOOL, LIST_TOOL]}),
    ("no thinking", {"enable_thinking": False}),
    ("thinking", {"enable_thinking": True, "thinking": True, "reasoning_effort": "high"}),
]
RARE = [
    ("empty tools", {"tools": []}),
    ("documents", {"documents": [{"title": "T", "text": "Body", "contents": "C", "doc_id": 1}]}),
    ("date", {"date_string": "01 Jan 2030", "custom_tools": None, "tools_in_user_message": False}),
    ("builtin tools", {"builtin_tools": ["wolfram_alpha", "code_interpreter"], "tools": [PLAIN_TOOL]}),
    ("parallel", {"tools": [WEATHER], "parallel_tool_calls": True, "model_identity": "You are X."}),
    ("flags", {"preserve_thinking": True, "clear_thinking": False, "keep_past_thinking": True,
               "truncate_history_thinking": False, "force_reasoning": True, "citations": True}),
    ("no bos", {"bos_token": "", "eos_token": ""}),
]
SPECIAL = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}


def cases():
    """(name, variables, special tokens) of every case."""
    for chat, messages in conversations():
        rare = RARE if chat in ("turns", "system", "whole tool turn", "call with reasoning") else []
        for option, more in OPTIONS + rare:
            for prompt in (True, False):
                variables = {"messages": messages, "tools": None, "documents": None, "add_generation_prompt": prompt, **more}
                special = {key: variables.pop(key, value) for key, value in SPECIAL.items()}
                yield f"{chat}; {option}; {'prompt' if prompt else 'no prompt'}", variables, special
