# SPDX-License-Identifier: Apache-2.0
"""A few sentences in many scripts, our own words: tiny vocabularies are trained on them, test strings are cut from them."""

import pathlib

DATA = pathlib.Path(__file__).resolve().parent.parent / "native" / "tests" / "data"

SENTENCES = {
    "latin": """Dans le vieux port, l'été, on parlait déjà d'un petit bateau: où était-il passé, et pourquoi n'écrivait-il pas?
Im Hafen hörte man nichts als die Möwen; der Fährmann saß auf einer Kiste, aß Brötchen und wartete auf den Nebel.
El niño preguntó cuántas millas había hasta la isla, y el capitán contestó: «¡Más de las que crees, señor!»
Łódź płynęła wolno, a żółte światło latarni gasło już za mgłą; ćma usiadła na szybie.
Gemi yavaşça döndü; İstanbul'dan ışıklar söndü, ığdırlı çocuk güldü.
Tàu rời bến lúc năm giờ sáng, và người lái đò già đã biết trước rằng trời sẽ mưa.""",
    "cyrillic": """Старый паром ходил между островом и берегом дольше, чем кто-либо мог вспомнить; капитан ещё спал.
Хлопчик запитав, чи далеко їхати, і ґанок заскрипів у відповідь. Брод је пошао у шест, љубав и њива остале су.""",
    "greek": """Το παλιό πλοίο έφυγε νωρίς το πρωί, και κανείς δεν ρώτησε πού πήγαινε ο καπετάνιος με τη βροχή.""",
    "hangul": """바다를 건너고 싶었던 작은 배가 있었습니다. 선장은 안 된다고 말했지만 배는 듣지 않았습니다.
안개가 짙은 아침, 소년은 종소리를 들으며 몇 번이나 숫자를 세었어요. ㅋㅋㅋ 정말?""",
    "han": """老船长每天早上五点起床,先听一听雾里的钟声,然后才解开缆绳。孩子问:“我们怎么知道自己在哪里?”
渡輪靠岸的時候,雨還沒有停;醫生醒了,看了看錶,說:「又是四點二十分。」""",
    "kana": """小さな船は霧の中をゆっくりと渡っていった。「どこにいるのか、どうしてわかるの?」と少年がきいた。
フェリーのエンジンがとまると、カモメだけがないていた。ハンカクモジモアル。""",
    "arabic": """كانت السفينة القديمة تعبر المضيق كل صباح، وكان الربان يعدّ الدقائق بصوتٍ خافت. السنة ١٩٨٤ أو ٢٠٢٦؟
کشتی آرام‌آرام از اسکله دور شد و پسرک تا ده شمرد: ۱۲۳۴۵۶۷۸۹۰.""",
    "hebrew": """הספינה הישנה יצאה מן הנמל לפנות בוקר, והילד שאל שאלה טובה. שָׁלוֹם, קברניט!""",
    "devanagari": """नाव धीरे-धीरे कोहरे में चली गई, और लड़के ने पूछा: हम कहाँ हैं? क्या यह १२३४५ मील है?""",
    "other indic": """பழைய படகு மெல்ல நகர்ந்தது. పడవ నెమ్మదిగా కదిలింది. ഒരു പഴയ വള്ളം. পুরনো নৌকা ধীরে চলল। ਪੁਰਾਣੀ ਬੇੜੀ।""",
    "thai": """เรือลำเก่าออกจากท่าแต่เช้า เด็กชายถามว่าเราอยู่ที่ไหน ราคา ๑๒๓ บาท""",
    "other": """Ծեր նավը հեռացավ։ ძველი გემი გავიდა ნავსადგურიდან. አሮጌው ጀልባ ሄደ። ເຮືອເກົ່າ. ភ្នំពេញ។ ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ. ᠮᠣᠩᠭᠣᠯ.""",
    "symbols": """∀x∈ℝ: ⌈x⌉ = −⌊−x⌋, α ∧ ¬β = ¬(¬α ∨ β), ½ + ⅓ ≠ ⅔, x² + y³, №5, ①②③, Ⅷ, ™ © ® → ⇒ █▓▒░ ♠♣♥♦ € £ ¥ ₩ …—–‘’“”""",
    "emoji": """🙂 😀😃😄 👍🏽 👩‍👩‍👧‍👦 🏳️‍🌈 🇫🇷🇰🇷🇯🇵 ❤️ 1️⃣ 🧑🏿‍🚀 ⛴️⚓🌫️ 🫠""",
    "code": """def crossing(days, speed=4.5):
    for day in range(days):
        if day % 7 == 0: print("rest", day)
    return days * speed
public static int crossing(int days) { return days * 4; } // TODO: 0x1F, 1_000_000L, 3.14e-10f
#include <stdio.h>
int main(void) { char *s = "a\\tb"; for (int i = 0; i < 10; ++i) s[i] ^= ~i; return !s; }
<div class="a b" id='c'>&amp;&nbsp;</div> {"key": [1, 2, null, true], "x": -1.5e+3} SELECT * FROM t WHERE a <> 'b';
https://example.org/path?q=a%20b&c=d#frag user@example.org C:\\\\temp\\\\file.txt ~/.config $HOME `ls -la | wc -l`""",
    "english": """I'm sure they've said we'll go, but you'd better ask; it's what he'd've done. Don't SHOUT, she CAN'T and they'RE late.
On 12 March 1987 at 4:20 pm there were 1,234,567 gulls, 99.5% of them asleep (or 3 x 10^5, as some say).""",
}


def english() -> str:
    return (DATA / "english.txt").read_text(encoding="utf-8")


def training_text() -> str:
    return english() + "\n".join(SENTENCES.values()) + "\n"
