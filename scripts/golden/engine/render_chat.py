#!/usr/bin/env python3
"""Renders chat templates with Jinja2 as `transformers` sets it up, for `crates/engine/tests/chat.rs`.

Usage: render_chat.py > crates/engine/tests/golden/chat/rendered.json   (needs PyPI jinja2, 3.1)

The templates are our own, made of what models' templates use: turns with and without begin tokens, namespaces, loop
controls, macros, Python methods, filters, whitespace control, refusals, and the turns of each family's special tokens.
"""

import json
import sys

import jinja2
import jinja2.ext
import jinja2.sandbox

TEMPLATES = {
    "chatml": "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
    "default-system": "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nBe brief.<|im_end|>\n' }}{% endif %}"
    "<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}",
    "headers": """{{- bos_token }}
{%- set system = '' %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- endif %}
{{- '<|header|>system<|end|>\n\n' + system }}
{%- for message in messages %}
    {%- if not (message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|header|>' + message['role'] + '<|end|>\n\n' + message['content'] | trim + eos_token }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|header|>assistant<|end|>\n\n' }}
{%- endif %}
""",
    "instructions": """{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- set ns = namespace() %}
{%- set ns.index = 0 %}
{%- for message in loop_messages %}
    {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}
        {{- raise_exception("Turns must alternate: user/assistant/user.") }}
    {%- endif %}
    {%- set ns.index = ns.index + 1 %}
{%- endfor %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST] " + system_message + "\n\n" + message["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST] " + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- else %}
        {{- " " + message["content"]|trim + eos_token }}
    {%- endif %}
{%- endfor %}
""",
    "model-turns": "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for message in messages %}{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}"
    "{% set role = message['role'] %}{% endif %}{{ '<turn>' + role + '\n' + message['content'] | trim + '<end>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{'<turn>model\n'}}{% endif %}",
    "thinking": """{%- macro turn(role, text) -%}
<{{ role }}>{{ text }}</{{ role }}>
{%- endmacro -%}
{%- set ns = namespace(last=-1, found=false) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if not ns.found and message.role == "user" and not message.content.startswith('<tool') %}
        {%- set ns.found = true %}
        {%- set ns.last = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- set content = message.content %}
    {%- if '</think>' in content %}
        {%- set content = content.split('</think>')[-1].lstrip('\n') %}
    {%- endif %}
    {{- turn(message.role|upper, content.strip()) }}{{ '*' if loop.index0 == ns.last else '' }}
{% endfor %}
{%- if add_generation_prompt and enable_thinking is defined and enable_thinking is false %}never{% endif %}
""",
    "controls": """{% for message in messages %}
    {% if message.role == 'system' %}
        {% continue %}
    {% endif %}
{{ loop.index }}/{{ loop.length }} {{ message.role.capitalize() }}: {{ message.content.replace('\n', ' | ') }}
    {% if loop.index > 3 %}
        {% break %}
    {% endif %}
{% endfor %}
{# a comment #}
{{ messages | map(attribute='role') | join(',') }} {{ (messages | last).content | tojson }}
{{ messages[0] | tojson }} {{ messages[0].items() | list | length }} {{ messages[0].get('name', 'nobody') }}
{{ 'a' ~ 1 ~ 2.5 }} {{ messages[0].content.split() | first | default('-') }} {{ messages[0].missing }}|{{ none }}|{{ true }}
{{- 'tools' if tools is defined }}{{ 'some' if tools is not none and tools | length > 0 }}
{{- '  tail ' | trim }} {{ "x,y,z".split(",") }} {{ messages | selectattr('role', 'equalto', 'user') | list | length }}
""",
    # As Gemma's: a system message opens the first turn, and content may be a list of parts.
    "gemma": """{%- set ns = namespace(opening='') -%}
{{ bos_token }}
{%- for message in messages -%}
    {%- if message.role == 'system' -%}
        {%- set ns.opening = message.content ~ '\n\n' -%}
    {%- else -%}
        {{ '<start_of_turn>' ~ ('model' if message.role == 'assistant' else message.role) ~ '\n' ~ ns.opening }}
        {%- if message['content'] is string -%}
            {{ message['content'] | trim }}
        {%- elif message['content'] is iterable -%}
            {%- for item in message['content'] if item.type == 'text' -%}{{ item.text | trim }}{%- endfor -%}
        {%- else -%}
            {{ raise_exception("Neither text nor parts.") }}
        {%- endif -%}
        {{ '<end_of_turn>\n' }}
        {%- set ns.opening = '' -%}
    {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<start_of_turn>model\n' }}{%- endif -%}
""",
    # As Phi 3's: its tokens take the line breaks after them along.
    "phi3": "{% for message in messages %}{{ '<|' ~ message.role ~ '|>\n' ~ message.content ~ '<|end|>\n' }}{% endfor %}"
    "{{ '<|assistant|>\n' if add_generation_prompt else eos_token }}",
    # As Qwen 3's: thoughts of earlier turns are left out, tests of what may not be there.
    "qwen3": """{%- if not tools and messages[0].role == 'system' %}
    {{- '<|im_start|>system\n' + messages[0].content + '<|im_end|>\n' }}
{%- endif %}
{%- for message in (messages[1:] if messages[0].role == 'system' else messages) %}
    {%- set content = message.content if message.content is string else '' %}
    {%- set thought = '' %}
    {%- if message.reasoning_content is string %}
        {%- set thought = message.reasoning_content %}
    {%- elif message.role == 'assistant' and '</think>' in content %}
        {%- set thought = content.split('</think>')[0].rstrip('\n').split('<think>')[-1].lstrip('\n') %}
        {%- set content = content.split('</think>')[-1].lstrip('\n') %}
    {%- endif %}
    {{- '<|im_start|>' + message.role + '\n' }}
    {%- if loop.last and thought %}{{- '<think>\n' + thought.strip('\n') + '\n</think>\n\n' }}{%- endif %}
    {{- content + '<|im_end|>\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\n\n</think>\n\n' }}{%- endif %}
{%- endif %}
""",
    # As Granite's: roles between tokens of their own, a system turn with a day where there is a clock.
    "granite": """{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content'] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set system_message = "You judge issues." %}
    {%- if tools and documents %}{%- set system_message = system_message + " Use both." %}{%- endif %}
    {%- set loop_messages = messages %}
{%- endif %}
{{- '<|start_of_role|>system<|end_of_role|>' + system_message + '<|end_of_text|>\n' }}
{%- for message in loop_messages %}
    {{- '<|start_of_role|>' + message['role'] + '<|end_of_role|>' + message['content'] + '<|end_of_text|>\n' }}
    {%- if loop.last and add_generation_prompt %}
        {{- '<|start_of_role|>assistant' }}
        {%- if controls %}{{- ' ' + controls | tojson }}{%- endif %}
        {{- '<|end_of_role|>' }}
    {%- endif %}
{%- endfor %}
""",
    # As SmolLM 3's: defaults by test, a switch read from the system message, joined lines.
    "smollm3": """{%- if enable_thinking is not defined %}{%- set enable_thinking = true %}{%- endif %}
{%- set mode = "/think" if enable_thinking else "/no_think" %}
{%- if messages[0].role == "system" %}
    {%- set system_message = messages[0].content %}
    {%- if "/no_think" in system_message %}
        {%- set mode = "/no_think" %}
    {%- endif %}
    {%- set instructions = system_message.replace("/no_think", "").replace("/think", "").rstrip() %}
{%- endif %}
{{- "<|im_start|>system\n## Metadata\nReasoning Mode: " ~ mode ~ "\n" }}
{%- if instructions %}{{- "## Instructions\n" ~ instructions ~ "\n" }}{%- endif %}
{{- ["<|im_end|>", ""] | join("\n") }}
{%- for message in messages if message.role != "system" %}
    {%- set content = message.content if message.content is string else "" %}
    {{- "<|im_start|>" ~ message.role ~ "\n" }}
    {%- if message.role == "assistant" and mode == "/no_think" %}{{- "<think>\n\n</think>\n" }}{%- endif %}
    {{- content.lstrip("\n") ~ "<|im_end|>\n" }}
{%- endfor %}
{%- if add_generation_prompt %}{{- "<|im_start|>assistant\n" }}{%- endif %}
""",
    # As SmolVLM's: an end of utterance after every turn.
    "utterances": "<|im_start|>{% for message in messages %}{{ message['role'] | capitalize }}: {{ message['content'] }}<end_of_utterance>\n"
    "{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}",
}
CONVERSATIONS = {
    "user": [("user", "Classify this issue.\nTitle: Login fails")],
    "spaced": [("user", "  leading and trailing  \n\n"), ("assistant", "\n<think>hm\nwell</think>\n\n Major ")],
    "turns": [("user", "A or B? <b>'\"&"), ("assistant", "<think>x</think>A"), ("user", "Sure? é 字 🙂")],
    "system": [("system", " You judge issues. "), ("user", "Größe?"), ("assistant", "5"), ("user", "<tool>done")],
    "unordered": [("assistant", "hello"), ("assistant", "again"), ("user", "{{ not a template }} {% if %}")],
}


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(value, ensure_ascii=False, indent=None):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent)


def environment():
    extensions = [jinja2.ext.loopcontrols]
    made = jinja2.sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=extensions)
    made.filters["tojson"] = tojson
    made.globals["raise_exception"] = raise_exception
    return made


def render(template, conversation, add_generation_prompt):
    messages = [{"role": role, "content": content} for role, content in conversation]
    try:
        return environment().from_string(template).render(
            messages=messages,
            tools=None,
            documents=None,
            add_generation_prompt=add_generation_prompt,
            bos_token="<|endoftext|>",
            eos_token="<|im_end|>",
        )
    except jinja2.exceptions.TemplateError as error:
        return {"refused": error.message}


def main():
    cases = []
    for template in TEMPLATES.values():
        for conversation in CONVERSATIONS.values():
            for prompt in (False, True):
                messages = [{"role": role, "content": content} for role, content in conversation]
                cases.append({"prompt": prompt, "messages": messages, "rendered": render(template, conversation, prompt)})
    per_template = len(CONVERSATIONS) * 2
    names = list(TEMPLATES)
    golden = [
        {"name": name, "template": TEMPLATES[name], "cases": cases[index * per_template : (index + 1) * per_template]}
        for index, name in enumerate(names)
    ]
    json.dump(golden, sys.stdout, ensure_ascii=False, indent=1)
    print()


if __name__ == "__main__":
    main()
