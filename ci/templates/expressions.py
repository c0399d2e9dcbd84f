# SPDX-License-Identifier: Apache-2.0
"""Small templates, one feature each. `python expressions.py FILE` records what jinja2 makes of them, for the tests."""
import sys

VARIABLES = {
    "n": 7, "f": 2.5, "s": "Hello, World", "u": "héé 😀 ß", "e": "", "t": True, "z": None, "neg": -3,
    "l": [3, 1, 2], "d": {"b": 1, "a": 2, "items": "mine", "n": None},
    "p": [{"name": "Bo", "age": 3}, {"name": "al", "age": 1}, {"name": "Cy"}, {"name": "al", "age": 7}],
    "m": "one\ntwo\n\n  three\r\nfour", "big": 12345678901234567890, "pad": "  x \t\n",
}

# One template a line; "\n" in them is a newline of the template, "\\n" an escape in a text.
LINES = r'''
{{ 1 + 2 * 3 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ 7 / 2 }} {{ 8 / 2 }} {{ 2 ** 10 }} {{ 2 ** 3 ** 2 }}
{{ -2 ** 2 }} {{ 2 ** -1 }} {{ 2 ** 0.5 }} {{ 1e3 }} {{ 1.5e-7 }} {{ 10 ** 20 }} {{ 1_000 }} {{ 0x1F }} {{ 0b101 }} {{ 0o17 }}
{{ 7.5 // 2 }} {{ -7.5 // 2 }} {{ 7.5 % 2 }} {{ -7.5 % 2 }} {{ 1 / 3 }} {{ 0.1 + 0.2 }} {{ 1e16 }} {{ 1e15 }} {{ 123456789.123 }} {{ 1e22 }} {{ 1e-5 }} {{ 0.0001 }}
{{ 5 / 0 }}
{{ 5 // 0 }}
{{ 5 % 0 }}
{{ 5.0 / 0 }}
{{ big + 1 }} {{ big * big }} {{ big // 7 }} {{ -big % 1000 }} {{ big / 3 }}
{{ True + 1 }} {{ true and 0 }} {{ 0 or 'x' }} {{ not 1 }} {{ not '' }} {{ none or false }}
{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 1 == 1.0 == true }} {{ 'a' < 'b' }} {{ 'B' < 'a' }} {{ [1, 2] < [1, 3] }} {{ (1, 2) == (1, 2) }} {{ [1] == (1,) }}
{{ 'a' < 1 }}
{{ none < 1 }}
{{ [] < {} }}
{{ {} < {} }}
{{ 'lo' in s }} {{ 'x' not in s }} {{ 3 in l }} {{ 'a' in d }} {{ 1 in d }} {{ '' in '' }} {{ 2 in (1, 2) }} {{ 2 in range(3) }}
{{ 1 in s }}
{{ 1 in none }}
{{ 1 in 5 }}
{{ 'a' in missing }} {{ missing in l }}
{{ missing in s }}
{{ 'a' + 'b' }} {{ 'a' ~ 1 ~ none ~ 2.0 ~ [1, 'x'] }} {{ 'ab' * 3 }} {{ 3 * 'ab' }} {{ 'a' * -1 }} {{ [1] * 2 }} {{ [1] + [2] }} {{ (1,) + (2,) }}
{{ 'a' + 1 }}
{{ 1 + 'a' }}
{{ [1] + (2,) }}
{{ none + 1 }}
{{ 'a' - 'b' }}
{{ {} + {} }}
{{ -'a' }}
{{ +true }} {{ -true }} {{ - 3 }} {{ --3 }} {{ +-3 }}
{{ s[0] }} {{ s[-1] }} {{ s[99] }} {{ s[1:4] }} {{ s[:-1] }} {{ s[::-1] }} {{ s[::2] }} {{ s[-3:] }} {{ s[5:2] }} {{ s[10:2:-3] }} {{ s[:] }} {{ s[-100:3] }} {{ s[3:100] }}
{{ u[4] }} {{ u[::-1] }} {{ u[3:6] }} {{ u | length }} {{ u.find('ß') }} {{ u.index('😀') }}
{{ l[0] }} {{ l[-1] }} {{ l[5] }} {{ l[1:] }} {{ l[::-1] }} {{ l[:-1] }} {{ (1, 2, 3)[1:] }} {{ range(5)[1:3] | list }} {{ l[true] }}
{{ l[::0] }}
{{ z[1:] }}
{{ n[1:] }}
{{ d[1:] }}
{{ l['a'] }}
{{ l[1.0] }}
{{ l.0 }} {{ d.b }} {{ d['b'] }} {{ d.zz }} {{ d['zz'] }} {{ d.zz is defined }} {{ d[0] }}
{{ d.items is string }} {{ d['items'] }} {{ d.items is callable }} {{ d['keys'] is callable }}
{{ d.zz.yy }}
{{ missing.x }}
{{ missing['x'] }}
{{ missing() }}
{{ missing + 1 }}
{{ missing ~ 'x' }} {{ missing | length }} {{ missing == missing }} {{ missing == none }} {{ missing is none }} {{ not missing }} {{ missing | list }}
{{ missing < 1 }}
{{ -missing }}
{{ missing[0:1] }}
{{ missing | int }}
{{ missing | tojson }}
{{ {'a': missing} | tojson }}
{{ missing | upper }}{{ missing | trim }}{{ missing | join(',') }}{{ missing | string }}{{ missing | first }}{{ missing | sort }}
{{ none.x }} {{ none['x'] }} {{ none.x is defined }} {{ (5).x }} {{ 5 .x }} {{ t.x }}
{{ none.x.y }}
{{ s.nothing }} {{ s.__class__ }} {{ s.upper is defined }} {{ l.append is defined }} {{ l.append }} {{ d.update is defined }}
{{ l.append(4) }}
{{ l.pop() }}
{{ d.update({'q': 1}) }}
{{ d.pop('a') }}
{{ d.setdefault('a', 1) }}
{{ s.nothing() }}
{{ 5() }}
{{ 'x'() }}
{{ l.index(2) }} {{ l.count(1) }} {{ l.copy() }} {{ (1, 2).index(2) }} {{ (1, 1).count(1) }}
{{ l.index(9) }}
{{ d.items() | list }} {{ d.keys() | list }} {{ d.values() | list }} {{ d.get('a') }} {{ d.get('q') }} {{ d.get('q', 5) }} {{ d.copy() == d }}
{{ {'a': 1}.items() }} {{ {'a': 1}.keys() }} {{ {}.values() }} {{ {'a': 1}.items() | length }} {{ {'a': 1}.keys() is sequence }}
{{ {'a': 1}.items()[0] }}
{{ d.get() }}
{{ {[1]: 2} }}
{{ d[[1]] }}
{{ [1] in d }}
{{ [none, true, false, 1, 2.0, 'x', "it's", 'say "hi"', 'a\nb\t\\', 'é\x00\u200b😀'] }}
{{ ('a',) }} {{ () }} {{ [] }} {{ {} }} {{ {'a': [1, {'b': none}]} }} {{ {1: 2, none: 3, (1, 2): 4} }} {{ [missing] }} {{ ["'\""] }}
{{ 1, 2 }} {{ (1, 2) }} {{ 1, }} {{ range(3) }} {{ range(1, 10, 3) }} {{ range(5, 0, -2) | list }} {{ range(0) | list }} {{ range(-3) | list }}
{{ 1 if true }} {{ 1 if false }} {{ 1 if false else 2 }} {{ 1 if false else 2 if false else 3 }} {{ (1 if false) is defined }}
{{ 'a' if x is defined else 'b' }} {{ x is defined and 1 }}
{{ x is defined if t else 1 }}
{{ 'a' 'b' "c" }} {{ 'it''s' }} {{ "\x41\u0042\U00000043\101" }} {{ '\q' }} {{ 'a\
b' }} {{ '\N{BULLET}' }}
{{ 'abc }}
{{ "\x4" }}
{{ 1 2 }}
{{ (1 }}
{{ 1) }}
{{ [1, 2 }}
{{ }}
{{ a.b. }}
{{ 1 if }}
{{ $ }}
{{ 'a' ! }}
{{ [1,2,] }} {{ {'a':1,} }} {{ (1,2,) }}
{{ {'a': {'b': {'c': 1}}}.a.b.c }}{{ {'a':{}}}}
{{ 5 is odd }} {{ 4 is even }} {{ 2.0 is even }} {{ 9 is divisibleby 3 }} {{ 9 is divisibleby(2) }} {{ 5 is not odd }} {{ true is odd }}
{{ 'a' is odd }}
{{ missing is odd }}
{{ 1 is number }} {{ 1.0 is number }} {{ true is number }} {{ '1' is number }} {{ 1 is integer }} {{ true is integer }} {{ 1.0 is float }} {{ 1 is float }} {{ true is boolean }} {{ 1 is boolean }}
{{ true is true }} {{ 1 is true }} {{ false is false }} {{ 0 is false }} {{ none is none }} {{ missing is undefined }} {{ z is none }}
{{ 's' is string }} {{ l is sequence }} {{ d is sequence }} {{ 's' is sequence }} {{ 5 is sequence }} {{ missing is sequence }} {{ none is sequence }} {{ range(2) is sequence }}
{{ l is iterable }} {{ 5 is iterable }} {{ 's' is iterable }} {{ missing is iterable }} {{ none is iterable }} {{ (l | map('string')) is iterable }} {{ (l | map('string')) is sequence }}
{{ d is mapping }} {{ l is mapping }} {{ missing is mapping }} {{ namespace() is mapping }} {{ range is callable }} {{ s is callable }} {{ missing is callable }}
{{ 'abc' is lower }} {{ 'ABC' is upper }} {{ 'aB' is lower }} {{ '1' is upper }} {{ 5 is lower }}
{{ 3 is eq 3 }} {{ 3 is equalto(3) }} {{ 3 is ne 4 }} {{ 3 is lt 4 }} {{ 3 is gt 4 }} {{ 3 is le 3 }} {{ 3 is ge 4 }} {{ 3 is in [3] }} {{ 3 is not in [3] }} {{ 3 is sameas 3 }} {{ none is sameas none }} {{ l is sameas l }} {{ [] is sameas [] }} {{ 1 is sameas true }}
{{ 'upper' is filter }} {{ 'nope' is filter }} {{ 'odd' is test }} {{ 'nope' is test }}
{{ 3 is nothing }}
{{ 3 is odd is even }}
{{ not 3 is odd }} {{ 3 is odd and 4 is even }} {{ 'a' ~ 3 is odd }} {{ 2 + 3 is odd }} {{ -3 | abs }} {{ (-3) | abs }} {{ 'a' ~ 'b' | upper }} {{ 1 + 2 | string | length }}
{{ s.upper() }} {{ s.lower() }} {{ s.title() }} {{ s.capitalize() }} {{ s.swapcase() }} {{ "they're bill's".title() }} {{ 'ß'.upper() }} {{ 'ǆa'.title() }} {{ 'ΑΣ'.lower() }}
[{{ pad.strip() }}] [{{ pad.lstrip() }}] [{{ pad.rstrip() }}] {{ 'xxaxx'.strip('x') }} {{ 'abcba'.lstrip('ab') }} {{ 'abc'.rstrip('') }} [{{ '\u3000a\u00a0'.strip() }}]
{{ 'a,b,,c'.split(',') }} {{ ' a  b '.split() }} {{ 'a b c'.split(' ', 1) }} {{ 'a b c'.split(none, 1) }} {{ ' a  b c '.split(maxsplit=1) }} {{ 'a,b,c'.rsplit(',', 1) }} {{ ' a b  c '.rsplit(none, 1) }} {{ ''.split() }} {{ ''.split(',') }} {{ ' a b'.rsplit() }} {{ 'abc'.split('') | length }}
{{ m.splitlines() }} {{ m.splitlines(true) }} {{ ''.splitlines() }} {{ 'a\x0bb\x1cc\u2028d'.splitlines() }}
{{ s.startswith('He') }} {{ s.startswith(('x', 'H')) }} {{ s.endswith('d') }} {{ s.endswith(('x', 'y')) }} {{ s.startswith('l', 2) }} {{ s.endswith('H', 0, 1) }} {{ s.startswith('') }}
{{ s.startswith(1) }}
{{ s.startswith(['H']) }}
{{ s.replace('l', 'L') }} {{ s.replace('l', 'L', 1) }} {{ 'abc'.replace('', '-') }} {{ 'abc'.replace('', '-', 2) }} {{ 'aaa'.replace('aa', 'b') }}
{{ s.replace('l') }}
{{ s.replace('l', 1) }}
{{ s.find('o') }} {{ s.rfind('o') }} {{ s.find('zz') }} {{ s.find('o', 5) }} {{ s.find('o', -5, -1) }} {{ s.count('o') }} {{ s.count('l', 4) }} {{ 'aaa'.count('aa') }} {{ 'ab'.count('') }}
{{ s.index('zz') }}
{{ ','.join(['a', 'b']) }} {{ ''.join([]) }} {{ '-'.join('abc') }} {{ ','.join({'a': 1, 'b': 2}) }}
{{ ','.join([1]) }}
{{ '12'.isdigit() }} {{ ''.isdigit() }} {{ '1.5'.isdigit() }} {{ '²'.isdigit() }} {{ 'ab'.isalpha() }} {{ 'a1'.isalnum() }} {{ ' \n'.isspace() }} {{ 'AB1'.isupper() }} {{ 'ab'.islower() }} {{ '½'.isnumeric() }} {{ '१'.isdecimal() }} {{ 'é'.isascii() }}
{{ 'abc'.removeprefix('a') }} {{ 'abc'.removeprefix('x') }} {{ 'abc'.removesuffix('c') }} {{ '5'.zfill(3) }} {{ '-5'.zfill(4) }} {{ 'abcd'.zfill(2) }}
[{{ 'a'.ljust(3) }}] [{{ 'a'.rjust(3, '.') }}] [{{ 'a'.center(4) }}] [{{ 'ab'.center(5) }}] [{{ 'abc'.center(6, '*') }}] [{{ 'abc'.center(2) }}]
{{ 'a=b=c'.partition('=') }} {{ 'a=b=c'.rpartition('=') }} {{ 'abc'.partition('=') }} {{ 'abc'.rpartition('=') }}
{{ '{} {}'.format(1, 'a') }} {{ '{1}{0}'.format('a', 'b') }} {{ '{x}-{y!r}'.format(x=1, y='q') }} {{ '{:>5}|{:<5}|{:^5}|'.format('a', 'b', 'c') }} {{ '{:05d} {:+d} {:,} {:.2f} {:x} {:08.3f}'.format(42, 7, 1234567, 3.14159, 255, -2.5) }} {{ '{{}}'.format() }}
{{ '{:e} {:g} {:g} {:g} {:%} {:.1%}'.format(12345.678, 0.00001, 1234567.0, 100.0, 0.5, 0.256) }} {{ '{0[a]} {0[b]}'.format({'a': 1, 'b': 2}) }} {{ '{:*^7}'.format('x') }} {{ '{:b} {:#x} {:_}'.format(5, 255, 1000000) }} {{ '{:{}}'.format('a', 4) }}|
{{ '{}'.format() }}
{{ '{'.format() }}
{{ '{x}'.format(1) }}
{{ '{:d}'.format('a') }}
{{ '%s and %s' % ('a', 1) }} {{ '%d %5.2f|%-5s|%05d %x %%' % (3, 2.567, 'ab', 42, 255) }} {{ '%s' % 'x' }} {{ '%s' % [1] }} {{ '%(a)s %(b)d' % {'a': 'x', 'b': 2} }} {{ '%r' % 'x' }} {{ '%+d % d' % (1, 2) }} {{ '%e %g' % (12345.678, 0.0001) }}
{{ '%s %s' % ('a',) }}
{{ '%s' % ('a', 'b') }}
{{ '%d' % 'a' }}
{{ '%s %s' | format('a', 'b') }} {{ '%(x)s' | format(x=1) }}
{{ -5 | abs }} {{ -2.5 | abs }} {{ '5' | abs }}
{{ [1, 2, 3, 4, 5] | batch(2) | list }} {{ [1, 2, 3] | batch(2, '-') | list }} {{ [1, 2, 3, 4, 5] | slice(3) | list }} {{ [1, 2, 3, 4] | slice(3, 'x') | list }}
{{ 'hello wORLD' | capitalize }} {{ 'hello-world (foo) [bar]' | title }} [{{ 'a' | center(5) }}] {{ 'abc' | count }} {{ d | length }} {{ none | default('x') }} {{ none | default('x', true) }} {{ missing | d('x') }} {{ '' | d('x', true) }} {{ missing | default }}|
{{ {'b': 1, 'A': 2, 'c': 0} | dictsort }} {{ {'b': 1, 'A': 2} | dictsort(true) }} {{ {'b': 1, 'A': 2} | dictsort(by='value', reverse=true) }}
{{ '<a href="x">&\'' | e }} {{ '<b>' | escape }} {{ '<i>x</i>  y <!-- c --> z' | striptags }}
{{ l | first }} {{ l | last }} {{ [] | first }} {{ 'abc' | last }} {{ d | first }} {{ [] | last is defined }}
{{ 5 | first }}
{{ (l | map('string')) | last }}
{{ '3.7' | float }} {{ 'x' | float }} {{ 'x' | float(1.5) }} {{ 3 | float }} {{ 'inf' | float }} {{ '1e3' | float }} {{ none | float }}
{{ '42' | int }} {{ '4.7' | int }} {{ 'x' | int }} {{ 'x' | int(9) }} {{ '0x1A' | int(base=16) }} {{ '1A' | int(0, 16) }} {{ 3.9 | int }} {{ -3.9 | int }} {{ none | int }} {{ ' 12 ' | int }} {{ '1_000' | int }} {{ true | int }} {{ [] | int }}
{{ p | groupby('name') | map('first') | list }} {% for g in p | groupby('name') %}{{ g.grouper }}:{{ g.list | length }};{% endfor %} {% for k, v in p | groupby('name') %}{{ k }}={{ v | length }} {% endfor %}
{{ m | indent }}|{{ m | indent(2, true) }}|{{ m | indent('> ', blank=true) }}|{{ '' | indent(2, true) }}|
{{ d | items | list }} {{ missing | items | list }}
{{ l | items | list }}
{{ l | join }} {{ l | join(', ') }} {{ p | join(',', attribute='name') }} {{ 'abc' | join('-') }} {{ [1, none, missing, 'x'] | join('|') }}
{{ 5 | join }}
{{ 'abc' | list }} {{ d | list }} {{ (1, 2) | list }}
{{ ['a', 'b'] | map('upper') | list }} {{ p | map(attribute='name') | list }} {{ p | map(attribute='age', default=0) | list }} {{ ['a,b', 'c'] | map('replace', ',', '.') | join(' ') }} {{ [[1, 2], [3]] | map('first') | list }} {{ [{'a': {'b': 1}}] | map(attribute='a.b') | list }} {{ [[1, 2]] | map(attribute='1') | list }} {{ [[1, 2]] | map(attribute=0) | list }}
{{ l | map | list }}
{{ l | map('nothing') | list }}
{{ none | map('upper') | list }} {{ none | select | list }} {{ 0 | selectattr('x') | list }}
{{ l | max }} {{ l | min }} {{ ['b', 'A'] | min }} {{ ['b', 'A'] | max(case_sensitive=true) }} {{ p | selectattr('age', 'defined') | max(attribute='age') }} {{ [] | max is defined }}
{{ [1, 'a'] | max }}
{{ [1, 2, 3, 4] | select('odd') | list }} {{ [1, 2, 3] | reject('odd') | list }} {{ [0, 1, '', 'a'] | select | list }} {{ [0, 1] | reject | list }} {{ p | selectattr('age') | map(attribute='name') | list }} {{ p | rejectattr('name', 'equalto', 'al') | list | length }} {{ p | selectattr('name', 'in', ['Bo', 'Cy']) | map(attribute='name') | join(',') }} {{ [1, 2, 3] | select('gt', 1) | list }} {{ [1,2,3] | select('==', 2) | list }}
{{ (p | selectattr('name', 'eq', 'zz')) is defined }} {% if p | selectattr('name', 'eq', 'zz') %}yes{% endif %} {% if p | selectattr('name', 'eq', 'zz') | list %}yes{% else %}no{% endif %}
{{ p | selectattr('name', 'eq', 'al') | length }}
{{ (l | map('string'))[0] }}
{{ 'aXbXc' | replace('X', '-') }} {{ 'aXbXc' | replace('X', '-', 1) }} {{ 5 | replace('5', 6) }}
{{ l | reverse | list }} {{ 'abc' | reverse }} {{ (1, 2) | reverse | join }}
{{ 2.5 | round }} {{ 3.5 | round }} {{ 2.675 | round(2) }} {{ 42.55 | round(1, 'floor') }} {{ 42.51 | round(1, 'ceil') }} {{ 7 | round }} {{ 1234 | round(-2) }} {{ -2.5 | round }} {{ 7 | round(1, 'ceil') }} {{ 0.5 | round | int }}
{{ l | sort }} {{ ['b', 'A', 'c'] | sort }} {{ ['b', 'A'] | sort(case_sensitive=true) }} {{ l | sort(reverse=true) }} {{ p | selectattr('age', 'defined') | sort(attribute='age') | map(attribute='age') | list }} {{ p | sort(attribute='name') | map(attribute='name') | list }} {{ p | selectattr('age', 'defined') | sort(attribute='name,age') | map(attribute='age') | list }} {{ 'cab' | sort }} {{ d | sort }}
{{ [1, 'a'] | sort }}
{{ l | sum }} {{ [] | sum }} {{ p | selectattr('age', 'defined') | sum(attribute='age') }} {{ [1.5, 2] | sum(start=10) }} {{ [[1], [2]] | sum(start=[]) }}
{{ ['a'] | sum }}
{{ 5 | string | length }} {{ none | string }} {{ [1] | string }} {{ 2.0 | string }} {{ 's' | safe }}
{{ '  a ' | trim }}| {{ 'xxaxx' | trim('x') }} {{ 'foo bar baz qux' | truncate(9) }} {{ 'foo bar baz qux' | truncate(9, true) }} {{ 'foo bar baz qux' | truncate(11, leeway=0) }} {{ 'foo bar baz qux' | truncate(9, false, '!', 0) }} {{ 'short' | truncate(255) }}
{{ [1, 2, 1, 'a', 'A'] | unique | list }} {{ ['a', 'A'] | unique(true) | list }} {{ p | unique(attribute='name') | map(attribute='name') | list }}
{{ 'a b/c?d=é&' | urlencode }} {{ {'a b': 1, 'c': 'd&e'} | urlencode }} {{ 'a b, c_d -e' | wordcount }} {{ s | upper }} {{ 5 | lower }}
{{ 'the quick brown fox jumps over the lazy dog' | wordwrap(10) }}|{{ 'abcdefghijklmnop qr' | wordwrap(5) }}|{{ 'abcdefghijklmnop qr' | wordwrap(5, false) }}
{{ s | nothing }}
{{ s | upper(1) }}
{{ s | replace('a') }}
{{ d | attr('b') is defined }} {{ s | attr('upper') is defined }} {{ [1, 'a'] | pprint }}
{{ 'x' | upper | lower ~ 'Y' | lower }} {{ ('a' ~ 'b') | upper }} {{ 'abc'[1:] | upper }} {{ s.split(', ')[1][0] }} {{ s.split()[0].upper().lower() }}
{{ d | tojson }} {{ [1, 2.5, none, true, 'é"\\\n</x>&\u0007\x7f'] | tojson }} {{ {} | tojson }} {{ [] | tojson }} {{ (1, 2) | tojson }} {{ 1e100 | tojson }} {{ 1e16 | tojson }} {{ {1: 2, none: 3, true: 4, 1.5: 5} | tojson }} {{ 'x' | tojson }} {{ big | tojson }}
{{ {'b': [1, {'c': []}], 'a': {}} | tojson(indent=2) }} {{ {'b': 1, 'a': 2} | tojson(sort_keys=true) }} {{ {'b': 1, 'a': [1, 2]} | tojson(separators=(',', ':')) }} {{ 'é😀' | tojson(ensure_ascii=true) }} {{ [1] | tojson(indent='\t') }} {{ [1] | tojson(indent=0) }} {{ [1,[2]] | tojson(none, 4) }}
{{ l | map('string') | tojson }}
{{ range(2) | tojson }}
{{ d.items() | tojson }}
{{ {(1, 2): 3} | tojson }}
{{ namespace() | tojson }}
{{ {'b': 1, 1: 2} | tojson(sort_keys=true) }}
{% for i in l %}{{ i }}{% endfor %} {% for i in [] %}x{% else %}none{% endfor %} {% for i in l if i > 1 %}{{ i }}{% endfor %} {% for i in l if i > 9 %}{{ i }}{% else %}none{% endfor %} {% for k, v in d.items() %}{{ k }}={{ v }},{% endfor %} {% for k in d %}{{ k }}{% endfor %} {% for c in 'añ😀' %}[{{ c }}]{% endfor %}
{% for i in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.previtem }}{{ loop.nextitem }}{{ loop.depth }}{{ loop.depth0 }} {% endfor %}
{% for i in [1, 1, 2] %}{{ loop.cycle('a', 'b') }}{{ loop.changed(i) }} {% endfor %} {% for i in l if i != 1 %}{{ loop.index }}/{{ loop.length }}{{ loop.last }} {% endfor %} {% for i in l | map('string') %}{{ loop.last }}{{ loop.length }}{% endfor %}
{% for i in l %}{% for j in 'ab' %}{{ loop.index }}{{ i }}{{ j }}{{ loop.depth }} {% endfor %}{{ loop.index }}{% endfor %}
{% for i in l %}{% if i == 1 %}{% continue %}{% endif %}{{ i }}{% if loop.last %}{% break %}{% endif %}{% endfor %} {% for i in range(10) %}{% if i == 3 %}{% break %}{% endif %}{{ i }}{% endfor %} {% for i in [] %}{% break %}{% else %}e{% endfor %}
{% for x in [{'v': 1, 'c': [{'v': 2, 'c': []}]}] recursive %}{{ x.v }}({{ loop(x.c) }}){{ loop.depth }}{% endfor %}
{% for i in 5 %}{% endfor %}
{% for i in none %}{% endfor %}
{% for a, b in [1] %}{% endfor %}
{% for a, b in [[1, 2, 3]] %}{% endfor %}
{% for a, b in [[1, 2], (3, 4), 'xy'] %}{{ a }}{{ b }} {% endfor %} {% for (a, b), c in [((1, 2), 3)] %}{{ a }}{{ b }}{{ c }}{% endfor %} {% for i in 1, 2 %}{{ i }}{% endfor %} {% for i in missing %}x{% endfor %}
{% set i = 'o' %}{% for i in l %}{% set q = i %}{{ q }}{% endfor %}{{ i }}{{ q is defined }}
{% set x = 1 %}{% for i in l %}{{ x }}{% set x = x + 1 %}{{ x }} {% endfor %}{{ x }} {% if true %}{% set x = 9 %}{% endif %}{{ x }}
{% set ns = namespace(a=1, b='x') %}{% for i in l %}{% set ns.a = ns.a + i %}{% endfor %}{{ ns.a }}{{ ns.b }}{{ ns.c is defined }} {% set ns2 = namespace({'k': 5}, j=6) %}{{ ns2.k }}{{ ns2.j }}{{ ns2['k'] }}
{% set d.x = 1 %}
{% set nowhere.x = 1 %}
{% set a, b = 1, 2 %}{{ a }}{{ b }} {% set c = 1, 2 %}{{ c }} {% set (x, y) = 'pq' %}{{ x }}{{ y }} {% set q %}block {{ a }}{% endset %}{{ q | upper }} {% set r | upper | replace('B', 'x') %}abc{% endset %}{{ r }}
{% set a, b = 1 %}
{% set true = 1 %}
{% set %}
{% set x %}{% set y = 1 %}{{ y }}{% endset %}{{ x }}{{ y is defined }}
{% if n > 5 %}a{% elif n %}b{% else %}c{% endif %} {% if n > 50 %}a{% elif n == 7 %}b{% else %}c{% endif %} {% if e %}a{% elif z %}b{% else %}c{% endif %} {% if [] or {} or 0 or 0.0 or none or '' or () %}a{% endif %} {% if [0] and '0' %}t{% endif %}
{% if 1 if 2 else 3 %}{% endif %}
{% if %}{% endif %}
{% if true %}
{% if true %}{% else %}{% elif true %}{% endif %}
{% endif %}
{% nothing %}
{% for i in l %}{% endif %}
{% break %}
{% macro m(a, b=2, c='x') %}[{{ a }}{{ b }}{{ c }}]{% endmacro %}{{ m(1) }}{{ m(1, 3) }}{{ m(1, c=4) }}{{ m(b=5, a=6) }}{{ m() }} {{ m(1) | length }} {{ m(1) is string }}
{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}
{% macro m(a) %}{% endmacro %}{{ m(q=2) }}
{% macro m(a) %}{% endmacro %}{{ m(1, a=2) }}
{% macro m(a=1, b) %}{% endmacro %}
{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, x=3) }} {% macro k(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ k(1) }} {% macro f(n) %}{{ n }}{% if n > 0 %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(3) }} {% macro w(*args) %}{% endmacro %}
{% macro m() %}<{{ caller() }}>{% endmacro %}{% call m() %}in{% endcall %} {% macro l2(x) %}{% for i in x %}{{ caller(i) }}{% endfor %}{% endmacro %}{% call(i) l2([1, 2]) %}({{ i }}){% endcall %}
{% macro m() %}{{ caller() }}{% endmacro %}{{ m() }}
{% set g = 1 %}{% macro m() %}{{ g }}{% set g = 2 %}{{ g }}{% endmacro %}{{ m() }}{{ g }}{% set g = 3 %}{{ m() }} {{ m(*[]) }}{{ m(**{}) }} {% macro q(a, b) %}{{ a }}{{ b }}{% endmacro %}{{ q(*[1, 2]) }}{{ q(1, **{'b': 3}) }}
{% filter upper %}abc{{ s }}{% endfilter %} {% filter replace('a', 'b') | upper %}aaa{% endfilter %} {% with a = 1, b = 2 %}{{ a }}{{ b }}{% endwith %}{{ a is defined }} {% with %}{% set x = 1 %}{{ x }}{% endwith %}{{ x is defined }}
{% generation %}x{{ n }}{% set in_generation = 1 %}{% endgeneration %}{{ in_generation is defined }} {% print n %} {% print 1, 2 %}
{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.current }}{{ c.next() }}{{ c.reset() }}{{ c.next() }} {% set j = joiner('|') %}{{ j() }}a{{ j() }}b {{ dict(a=1, b=2) }} {{ dict([('x', 1)]) }} {{ dict({'q': 1}, r=2) }}
{{ raise_exception('no ' ~ n) }}
{{ raise_exception() }}
{{ range() }}
{{ range(1, 2, 0) }}
{{ range('a') }}
{{ range(10) | length }} {{ range(99999) | length }}
{{ strftime_now('%Y-%m-%d %d %b %Y %B %A %a %H:%M:%S %I %p %j %y %% %-d %-m %e %U %W %w %u %V %G %D %T %F %R %h') }}|{{ strftime_now('no fields') }}
{# comment #}a{#- c -#} b {# multi\nline #}\nc {#+ x +#}\nd {# 'quote' {{ x }} #}e
  {% if true %}\n  a\n  {% endif %}\nb
a\n  {%- if true -%}  \n  b  \n  {%- endif -%}  \nc
a\n  {%+ if true %}\nb{% endif +%}\nc\n  {%+ endif2 %}
a\n  {%+ if true %}\nb{% endif +%}\nc\n   {#+ x #}\n d
  {{ n }}\n  {{- n }}  {{ n -}}  \n x\n
a {% if true %} b {% endif %} c\n\n{% if true %}\n\nx\n{% endif %}\n
x\n\t {% for i in l %} \n\t{{ i }}\n{% endfor %} \ny\n\n
{% raw %}{{ x }} {% if %}{% endraw %}y\n{%- raw -%}  z  {%- endraw -%}  \n w
{% raw %}\n{{ x }}\n  {% endraw %}\ny
{% raw %}x
{# open
{{ open
{% open
{{ n }
{ { n } } {n} }} %} #} a\n
{{ '{{ x }}' }} {{ "%}" }} {{ '#}' }}{% if '%}' %}y{% endif %}
{{- 'a' -}} \n {{- 'b' }}\n{{+ 'c' }}
{{-1}} {{- -1 }} {{ 1-1 }} {{ 1 - -1 }} {{ n-1 }} {{ [n-1, -1][-1] }}
{{ n|string }}{{n  |  string}}{{ n\n|string }}{%set q=5%}{{q}}{% set w = {\n'a': 1,\n'b': 2} %}{{ w }}
{{ {'a': 1}['a'] }} {{ {'a': 1}.a }} {{ [1, 2][0] }} {{ [[1, 2], [3]][0][1] }} {{ 'abc'[1] }} {{ ('a', 'b')[1] }} {{ {'x': [1, 2]}.x[-1] }} {{ l[n - 7] }} {{ d['a' ~ ''] }} {{ p[0]['name'][0] }} {{ p[0].name.lower() }}
{{ (1, 2) + (3,) }} {{ {'a': 1} == {'a': 1.0} }} {{ [1, [2]] == [1, [2]] }} {{ 'a' == 1 }} {{ none == false }} {{ 0 == false }} {{ '' == none }} {{ 1 != 1.0 }} {{ {1: 'a'}[1.0] }} {{ {true: 'a'}[1] }} {{ big == 12345678901234567890 }} {{ 9007199254740993 == 9007199254740992.0 }}
{{ 1.0 }} {{ 100.0 }} {{ 1.10 }} {{ 1e300 * 1e10 }} {{ -1e300 * 1e10 }} {{ 0.0 * -1 }} {{ 5e-324 }} {{ 1.7976931348623157e308 }} {{ 2.0 ** 3 }} {{ 3 * 1.1 }} {{ 1e3 | int }} {{ 123456789012345680.0 }}
{{ [] is string }} {{ s.upper(1) }}
{{ n is none(1) }}
{% set x = [1, 2] %}{% set x = x + [3] %}{{ x }} {% set y = x[:1] + x[2:] %}{{ y }} {{ x | length - 1 }} {{ x[x | length - 1] }} {{ (x | length) - 1 }}
{% for m in p %}{% if m.age is defined and m.age > 2 %}{{ loop.index0 }}{% elif loop.last %}L{% else %}-{% endif %}{% endfor %} {{ p[-1].name }} {{ (p | last).name }} {{ p | map(attribute='name') | unique | join('/') }} {{ p[1:] | length }} {{ p[::-1][0].name }}
{% set ns = namespace(found=false) %}{% for m in p if not ns.found %}{{ m.name }}{% if m.name == 'al' %}{% set ns.found = true %}{% endif %}{% endfor %}
{% set msg %}{% for i in l %}{{ i }}{% if not loop.last %}, {% endif %}{% endfor %}{% endset %}{{ msg }}|{{ msg.split(', ') }}|{{ msg is string }}
{{ s if s is string else s | tojson }} {{ (d | tojson) if d is mapping else d }} {{ d is not string and d is mapping }} {{ 'x' in d and d.x or 'no' }} {{ d.n is none }} {{ d.n is not none }} {{ d.q is not defined or d.q is none }}
{{ '\n' ~ 'a' | trim ~ '\n' }}|{{ ('\n' ~ 'a ') | trim }}|{{ 'a\\nb' }}|{{ 'a\tb' }}
{{ 'a'.join(l | map('string')) }} {{ l | map('string') | join | int + 1 }} {{ 'x'.upper().lower().title() }} {{ ' a '.strip().replace('a', 'b').split('b') }}
{% block x %}in block{{ n }}{% endblock %}
{% include 'x' %}
{{ 'a<' | e + '<' }} {{ ('a<' | safe) ~ '<' }} {{ ('a<' | safe).upper() + '<' }} {{ ['<', '>' | safe] | join('&') }} {{ '<' | e | replace('&', '<') }} {{ ('%s' | safe) % '<' }} {{ ('<' | safe) | upper + '<' }} {{ '<' + ('<' | safe) }} {{ '<' | e | e }} {{ '<' | e | forceescape }} {{ ('<' | safe) is escaped }} {{ ('a' | safe) * 2 + '<' }} {{ ('<a' | safe)[0] + '<' }}
{{ ('<' | safe) | tojson }} {{ [('<' | safe)] }} {{ ('a b' | safe).split()[0] + '<' }} {{ (1 | safe) + '<' }} {{ ('<' | safe) | join(',') + '<' }} {{ ('a\nb' | safe) | indent + '<' }} {{ ('<{}' | safe).format('<') }} {{ '<' | safe | capitalize + '<' }} {{ '<' | safe | title + '<' }} {{ '<' | safe | first + '<' }} {{ '<' | safe | last + '<' }} {{ '<' | safe | reverse + '<' }} {{ '%s<' | safe | format('<') }} {{ ('<' | safe).join(['<', '>']) }} {{ ('<' | safe).replace('<', '>') + '<' }}
{{ ('<' | safe) + 1 }}
{% set x %}<{% endset %}{{ x + '<' }} {% macro m() %}<{% endmacro %}{{ m() + '<' }}
{% do l.append(1) %}
{% set a = 1 %}{{ a if a else b.c.d }}{{ a or b.c.d }}
{{ loop is defined }}{% for i in [1] %}{{ loop is defined }}{% macro z() %}{{ loop is defined }}{% endmacro %}{{ z() }}{% endfor %}
{{ namespace is defined }} {{ dict is callable }} {{ range is defined }} {{ strftime_now is defined }} {{ raise_exception is defined }} {{ varargs is defined }} {{ cycler is defined }} {{ caller is defined }}
{% set not_x = 1 %}{{ not_x }} {% set in_ = 2 %}{{ in_ }} {% set isx = 3 %}{{ isx }} {% set ifx = 4 %}{{ ifx if ifx else ifx }} {{ nota is defined }}
{% for i in range(3) %}{{ i }}{% if not loop.last %}{{ ',' }}{% endif -%}\n   {% endfor %}|{%- for i in range(2) -%}\n {{ i }} \n{%- endfor -%} |
{{ 'a' < 'B' }} {{ '😀' > '\uffff' }} {{ 'a' <= 'a' }} {{ 'abc' < 'abcd' }} {{ true > false }} {{ 1.5 > 1 }} {{ (1, 'a') < (1, 'b') }} {{ big > 1e19 }}
'''

# What the texts hold on both sides; "\n" that is not in quotes stands for a newline of the template.
EXTRA = [
    "a\r\nb\rc\n", "a\n\n", "\n{% if true %}\nx{% endif %}", "{% if true %}\r\n  x\r\n{% endif %}\r\ny", "", "\n", "plain",
    "{{ 'a\nb' }}", "{% set x = 'a\r\nb' %}{{ x | length }}", "  {#- c #}  \n  x", "{{ n }}\n", "{{ n }}\n\n",
    "{%- if true %}\n  {%- for i in l %}\n    {{- i }}\n  {%- endfor %}\n{%- endif %}\n",
    "a  \n  {# c #}\n  b", "a {# c #}\n  b", "  {# c #}  b", "{% set x = 1 %}\n\n{% set y = 2 %}\n{{ x }}{{ y }}\n",
    "\u00a0{%- if true -%}\u2003x\u3000{%- endif %}", " \u00a0 {% if true %}x{% endif %}",
]


def templates():
    for line in LINES.strip("\n").replace("\\\nb'", "\\\0b'").split("\n"):
        line = line.replace("\\\0b'", "\\\nb'")
        # Outside quotes a written \n is a newline.
        out, quote, i = [], None, 0
        inside = 0
        while i < len(line):
            c = line[i]
            if inside and quote and c == "\\":
                out.append(line[i:i + 2])
                i += 2
                continue
            if line.startswith(("{{", "{%"), i) and not quote:
                inside += 1
            if line.startswith(("}}", "%}"), i) and not quote and inside:
                inside -= 1
            if inside and c in "'\"":
                quote = None if quote == c else quote or c
            if c == "\\" and line[i:i + 2] == "\\n":
                out.append("\n")
                i += 2
                continue
            out.append(c)
            i += 1
        yield "".join(out)
    yield from EXTRA


def suite():
    return [(f"feature {number}: {source!r}", source, [("", VARIABLES, {})])
            for number, source in enumerate(templates(), 1)]


def escape(text):
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")


def recorded():
    """One line a template: the template, a tab, "=" and what it renders to or "!" when it is refused; escaped."""
    import reference
    environment = reference.environment()
    lines = ["# SPDX-License-Identifier: Apache-2.0", "# Recorded from jinja2 3.1.6 by ci/templates/expressions.py."]
    for source in templates():
        try:
            result = "=" + escape(environment.from_string(source).render(**VARIABLES))
        except Exception:
            result = "!"
        lines.append(escape(source) + "\t" + result)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    with open(sys.argv[1], "w", encoding="utf-8", newline="\n") as out:
        out.write(recorded())
