"""An office's own words (词典) for the commands that read texts: from a file, bad lines named; cutting is nlp's."""

from __future__ import annotations

from hub.commands.files import read_whole
from hub.commands.rows import BAD_SHOWN, say
from hub.domain.errors import Misconfigured
from nlp.dictionary import Problem, lines_of, read
from nlp.topic_tree import decoded

WORDS_HELP = "本单位的词典（词,类别,区县,正式名称，或 jieba 词典的写法）；不给则用演练城市的"


def words_of(name: str | None) -> tuple[str | None, list[Problem]]:
    """The usable words of a file, as the reader takes them, and the lines that give none; no words where no file is."""
    if not name:
        return None, []
    try:
        words, problems = read(decoded(read_whole(name)))
    except ValueError as trouble:
        raise Misconfigured(f"词典 {name} 用不了：{trouble}") from trouble
    if not words:
        raise Misconfigured(f"词典 {name} 里没有一个可用的词。每行写：词,类别,区县,正式名称；后两格可以空着。")
    return lines_of(words), problems


def report(name: str | None) -> int:
    """Names the lines of the file that give no word on the error stream; exit status 1 where there are any."""
    problems = words_of(name)[1]
    for problem in problems[:BAD_SHOWN]:
        say(f"词典第 {problem.line} 行没有用上：{problem.reason}。")
    if len(problems) > BAD_SHOWN:
        say(f"词典另有 {len(problems) - BAD_SHOWN} 行没有用上。")
    return 1 if problems else 0
