#!/usr/bin/env python3
"""Writes the tokenizer corpus: lines in many scripts, code, numbers, odd whitespace, special tokens.

Usage: make_corpus.py > crates/engine/tests/golden/tokenizer/corpus.txt

One line of output is one text; newline, carriage return and backslash are written \\n, \\r and \\\\. The same script
writes the same bytes everywhere: it draws from a generator of its own.
"""

import sys


class Draw:
    """SplitMix64."""

    def __init__(self, seed):
        self.state = seed

    def below(self, limit):
        mask = (1 << 64) - 1
        self.state = (self.state + 0x9E3779B97F4A7C15) & mask
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        return (z ^ (z >> 31)) % limit

    def pick(self, items):
        return items[self.below(len(items))]


# Script: words, sentence ends, joiner.
SCRIPTS = {
    "english": (
        "the build fails when a user's file has no name we've seen it but they're sure I'll fix it don't can't it's "
        "I'd you'd he'S SHE'LL WE'RE I'M issue priority Critical server timeout login dashboard export CSV report as "
        "want so that should return error after upgrade version backlog sprint story points reviewer naïve café"
    ).split(),
    "latin": (
        "größe façade naïve Łódź žluťoučký kůň smørrebrød İstanbul ığdır señor où Äpfel Öl straße ĳsvrij façon cœur "
        "l'été d'accord aujourd'hui qu'il ångström þórður ðraumur čeština őrült űrhajó Việt Nam tiếng đường ŵy ñandú "
        "kļūda šķērslis žurnāls įrašas ąžuolas gžegžółka zażółć ﬁn ǆungla Ǆ ŉ ß ẞ É"
    ).split(),
    "cyrillic": (
        "сборка падает при запуске тестов пользователь не может войти в систему ошибка Приоритет критический сервер "
        "їжак ґанок є'мність ўсё јединица ђак Ѓорче ћуприја ёлка подъезд қазақ өзбек ұлт Ѳита"
    ).split(),
    "greek": (
        "η κατασκευή αποτυγχάνει όταν ο χρήστης αποθηκεύει το αρχείο σφάλμα προτεραιότητα ΚΡΊΣΙΜΟ ἀρχή ᾧ ῥόδον Ὦ "
        "ϊ ΐ ΰ φιλοσοφίας"
    ).split(),
    "arabic": (
        "فشل البناء عند تشغيل الاختبارات المستخدم لا يستطيع الدخول خطأ مُشْكِلَة أولوية النظام می‌خواهم پرونده چگونه "
        "گزارش ٹھیک ہے ١٢٣ ٤٥ ۶۷"
    ).split(),
    "hebrew": "הבנייה נכשלת כאשר המשתמש שומר את הקובץ שגיאה בְּרֵאשִׁית עדיפות קריטית צה״ל ג׳ירפה".split(),
    "devanagari": (
        "उपयोगकर्ता फ़ाइल सहेज नहीं सकता है त्रुटि १२३ क्षेत्र ज्ञान प्राथमिकता गंभीर हिन्दी सर्वर ॐ श्री विफल"
    ).split(),
    "bengali": "ব্যবহারকারী ফাইল সংরক্ষণ করতে পারে না ত্রুটি ৪৫৬ বাংলা ক্ষমা".split(),
    "tamil": "பயனர் கோப்பை சேமிக்க முடியவில்லை பிழை தமிழ் முன்னுரிமை".split(),
    "thai": "ผู้ใช้ ไม่สามารถ บันทึก ไฟล์ ได้ ข้อผิดพลาด ๑๒๓ เซิร์ฟเวอร์ ล้มเหลว น้ำ".split(),
    "han": (
        "用户 无法 保存 文件 构建 失败 错误 代码 優先級 嚴重 系統 登入 测试 服务器 １２３ 三百 〇 𠀀𠀁 龘 訊息 请求 超时"
    ).split(),
    "japanese": (
        "ユーザー は ファイル を 保存 できません テスト が 失敗 しました エラー ｶﾀｶﾅ ー 々 が ぱ ゔ ヴ サーバー 優先度 高い"
    ).split(),
    "hangul": "사용자가 파일을 저장할 수 없습니다 빌드가 실패 했습니다 오류 우선순위 긴급 ㄱㄴㄷ 한글 서버".split(),
    "georgian": "მომხმარებელი ვერ ინახავს ფაილს შეცდომა პრიორიტეტი სერვერი ᲙᲠᲘᲢᲘᲙᲣᲚᲘ".split(),
    "armenian": "Օգտվողը չի կարող պահպանել ֆայլը սխալ առաջնահերթություն ԵՒ և".split(),
    "ethiopic": "ተጠቃሚ ፋይሉን ማስቀመጥ አይችልም ስህተት ፩፪፫".split(),
    "emoji": "🙂 🚀🚀 👩‍💻 👨‍👩‍👧 🇩🇪 ✅ ❤️ 👍🏽 ⚠ ☃ ⌘ 1️⃣ 🏳️‍🌈 ™ ℃ Ⅷ ½ ² ₃ ①".split(),
}
JOINLESS = {"han", "japanese", "thai"}
ENDS = [".", "!", "?", "...", ";", ":", "。", "！", "؟", "।", "", "", ""]

CODE = [
    'fn {a}({b}: &str) -> Option<u{n}> {{ {b}.trim().parse().ok() }}',
    'def {a}_{b}(self, {c}=None):\\n    """Return {c}."""\\n    return self.{b}[{n}:{m}] if {c} else []',
    'for (int i = 0; i < {n}; ++i) {{ {a}[i] += {b} * 0x{m:X}; }} // {c}',
    'SELECT {a}, COUNT(*) FROM {b} WHERE {c} >= {n} AND name LIKE \'%{a}%\' GROUP BY 1;',
    '{{"{a}": [{n}, {m}, null], "{b}": {{"{c}": "v\\\\n{n}"}}}}',
    '<div class="{a}-{b}" id=\'{c}{n}\'>&nbsp;{a} &amp; {b}</div>',
    'const {a} = async ({b}) => {{ await {c}?.({b} ?? {n}); }};',
    '\\tif err := {a}.{b}(ctx, {n}); err != nil {{\\n\\t\\treturn fmt.Errorf("{c}: %w", err)\\n\\t}}',
    '$ {a} --{b}={n} -v | grep -E "^[a-z]+{m}$" > /dev/null 2>&1 && echo $?',
    '#include <{a}/{b}.h>\\n#define {c}_MAX ({n}u << {m})',
    'public static final Map<String, List<{a}>> {b} = new HashMap<>({n});',
    'x = {a}**2 + {b}_{n} / ({c} - 1e-{m}) % 7 // 3',
    '        at org.example.{a}.{b}({c}.java:{n})',
    'https://example.org/{a}/{b}?q={c}%20{n}&page={m}#top',
    '```{a}\\n{b}({n})\\n```',
    '| {a} | {b:>12} | {n:8} |\\n|---|:---:|---:|',
    '- [x] {a} **{b}** _{c}_ ~~{n}~~ `{a}_{b}` <!-- {m} -->',
    'C:\\\\{a}\\\\{b}\\\\file{n}.txt',
    "let s = r#\"{a} \"{b}\" {n}\"#;\\r\\nprintln!(\"{{s:?}}\");\\r\\n",
    'λ {a} → {b} ∘ {c} ≤ {n} ∧ ¬{a} ∈ ∅',
]
NAMES = "item value user_id fileName HTTPServer parse token i tmp2 __init__ getX total Config 変数 größe".split()

WHITESPACE = [" ", "  ", "   ", "\\n", "\\n\\n", "\\r\\n", "\\t", "\\t\\t", " \\n", "\\n ", " \\t ", "\u00a0", "\u3000", "\u2003",
              "\u200b", "\u2028", "\u0085", "\u000b", "\u000c", "\ufeff", "\u202f", "\u1680", "\\r", "\u180e", "\u001c"]
SPECIALS = ["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|im_start|>user\\n", "<s>", "</s>", "<unk>", "<0x0A>", "<0xE2>",
            "<tool>", "[note]", "<|eot_id|>", "<|im_", "im_end|>", "<repo_name>", "<file_sep>", "<|im_start|><|im_end|>",
            "<|im_end|", "▁", "▁▁a", "Ġ", "Ċ", "<jupyter_start>", "[INST]", "<<SYS>>"]
PUNCTUATION = list("!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~") + list("«»“”‘’—–…·•→±×÷€£¥§¶†‰′″⟨⟩、。・「」")
DIGITS = ["0123456789"] * 6 + ["٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९", "０１２３４５６７８９", "²³¹½¾Ⅳ①〇"]
# Blocks that random letters are drawn from, so that no script is met through its common words only.
BLOCKS = [(0x20, 0x7F), (0xA1, 0x250), (0x250, 0x370), (0x370, 0x400), (0x400, 0x530), (0x531, 0x588), (0x591, 0x5F5),
          (0x600, 0x700), (0x900, 0x980), (0x980, 0xA00), (0xE01, 0xE5C), (0x10A0, 0x1100), (0x1100, 0x1200), (0x1E00, 0x2000),
          (0x2010, 0x2028), (0x2030, 0x205F), (0x2070, 0x20C0), (0x2100, 0x2200), (0x2190, 0x2300), (0x2460, 0x2600),
          (0x3001, 0x3100), (0x4E00, 0x5200), (0xAC00, 0xAE00), (0xFE30, 0xFE50), (0xFF01, 0xFF70), (0x1F300, 0x1F650),
          (0x10400, 0x10450), (0x1D400, 0x1D500), (0x20000, 0x20100)]


def sentence(draw, script):
    words = SCRIPTS[script]
    joiner = "" if script in JOINLESS and draw.below(4) else " "
    text = joiner.join(draw.pick(words) for _ in range(1 + draw.below(9)))
    if draw.below(6) == 0:
        text += joiner + number(draw)
    return text + draw.pick(ENDS)


def number(draw):
    digits = draw.pick(DIGITS)
    text = "".join(draw.pick(digits) for _ in range(1 + draw.below(9)))
    return draw.pick(["{}", "{}", "-{}", "{}.5", "{}%", "${}", "1,{}", "v{}", "{}px", "0x{}", "{}e-7", "#{}"]).format(text)


def code(draw):
    return draw.pick(CODE).format(a=draw.pick(NAMES), b=draw.pick(NAMES), c=draw.pick(NAMES), n=draw.below(1000), m=draw.below(100))


def spaced(draw):
    parts = []
    for _ in range(2 + draw.below(5)):
        parts.append(draw.pick(["word", "a", "1", "\u00e9", ".", "{", "字", "it's", "", "X"]))
        parts.extend(draw.pick(WHITESPACE) for _ in range(1 + draw.below(4)))
    return "".join(parts)


def marked(draw):
    parts = []
    for _ in range(1 + draw.below(4)):
        parts.append(draw.pick(["", " ", "hi", " hi ", "\\n", "日本", "x<", "1"]))
        parts.append(draw.pick(SPECIALS))
    return "".join(parts) + draw.pick(["", " end", "\\n", "tail"])


def punctuated(draw):
    return "".join(
        draw.pick(PUNCTUATION) * (1 + draw.below(3)) + draw.pick(["", "", " ", "a", "B", "7", "'s", "'T", "’s", "\\n"])
        for _ in range(2 + draw.below(8))
    )


def lettered(draw):
    text = ""
    for _ in range(2 + draw.below(12)):
        low, high = draw.pick(BLOCKS)
        text += chr(low + draw.below(high - low)).replace("\\", "/") + ("" if draw.below(3) else " ")
    return text


def mixed(draw):
    makers = [lambda: sentence(draw, draw.pick(list(SCRIPTS))), lambda: number(draw), lambda: code(draw), lambda: punctuated(draw)]
    return draw.pick(["", " ", "\\n"]).join(draw.pick(makers)() for _ in range(2))


def lines():
    draw = Draw(2026)
    for script in SCRIPTS:
        for _ in range(70):
            yield sentence(draw, script)
    for maker, count in [(code, 300), (number, 120), (spaced, 200), (marked, 160), (punctuated, 160), (lettered, 240), (mixed, 160)]:
        for _ in range(count):
            yield maker(draw)
    for text in ["", " ", "  ", "\\n", "\\t", "a", "é", "字", "🙂", "'s", "''", "a" * 200, "ab" * 150, " " * 130, "\\n" * 40, "1" * 90,
                 "é" * 60, "字" * 60, "-" * 120, "=" * 33, " a" * 60, "a " * 60, "!?" * 40, "\u0301" * 9, "e\u0301", "\U0010ffff", "\ue000"]:
        yield text


def main():
    out = sys.stdout.buffer
    for line in lines():
        out.write(line.encode("utf-8") + b"\n")


if __name__ == "__main__":
    main()
