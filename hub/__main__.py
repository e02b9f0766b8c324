"""The door: reads the command line, finds the command, says errors in one sentence; commands live in commands/."""

from __future__ import annotations

import asyncio
import difflib
import errno
import importlib
import inspect
import io
import os
import sys
from dataclasses import dataclass

from hub.commands.arguments import Parser
from hub.commands.files import let_go_of_output
from hub.domain.errors import HubError, Misconfigured


@dataclass(frozen=True)
class Command:
    """One command: its words, the module with `add(parser)` and `run(...)`, and its one line of help."""

    words: str
    module: str
    help: str
    needs_desk: bool = False


COMMANDS = (
    Command("serve", "hub.commands.serve", "启动采编端、公众网和后台任务"),
    Command("init", "hub.commands.init", "建立正式环境的数据文件夹和首批管理员"),
    Command("migrate", "hub.commands.migrate", "把数据升级到这一版"),
    Command("doctor", "hub.commands.doctor", "体检：配置、存储、账号、模型、磁盘"),
    Command("map", "hub.commands.map", "打印代码地图；--write 更新生成的文档"),
    Command("vendor", "hub.commands.vendor", "取回并核对前端文件"),
    Command("bundle", "hub.commands.bundle", "为不通外网的单位打一个安装包"),
    Command("rehearsal", "hub.commands.rehearsal", "只启动演练平台"),
    Command("demo", "hub.commands.demo", "演练内容、用户和群众；--incident 开始一起突发事件"),
    Command("user", "hub.commands.user", "用户：add、list、passwd、disable", needs_desk=True),
    Command("token", "hub.commands.token", "接口令牌：create、list、revoke", needs_desk=True),
    Command("audit", "hub.commands.audit", "审计：verify、export", needs_desk=True),
    Command("hold-all", "hub.commands.hold_all", "全部暂停", needs_desk=True),
    Command("release", "hub.commands.release", "解除一个账号的暂停", needs_desk=True),
    Command("import", "hub.commands.import_", "导入留言等数据", needs_desk=True),
    Command("export", "hub.commands.export", "导出词典等数据", needs_desk=True),
    Command("urgency", "hub.commands.urgency", "可能紧急的提示：show、train、off", needs_desk=True),
    Command("counts", "hub.commands.counts", "看板的汇总：verify、rebuild", needs_desk=True),
    Command("check", "hub.commands.check", "校对文件里的文字"),
    Command("analyse", "hub.commands.analyse", "逐条分析文本"),
    Command("replay", "hub.commands.replay", "按时间重放留言，看会有哪些预警"),
    Command("train", "hub.commands.train", "用标注训练情感模型或主题模型"),
    Command("evaluate", "hub.commands.evaluate", "在标注上测情感模型或主题分类"),
    Command("bench store", "hub.commands.bench_store", "存储的速度"),
    Command("bench chaos", "hub.commands.bench_chaos", "发布时杀进程、出故障，事后对账"),
    Command("bench publish", "hub.commands.bench_publish", "同一秒到期的发布", needs_desk=False),
    Command("bench ingest", "hub.commands.bench_ingest", "收留言的速度"),
    Command("bench alerts", "hub.commands.bench_alerts", "从群众的话到看板上的预警要多久"),
    Command("bench poison", "hub.commands.bench_poison", "一条“毒文”收下、分析、监测各费多少毫秒"),
    Command("bench detect", "hub.commands.bench_detect", "监测的速度与内存，同场对照"),
    Command("bench analyse", "hub.commands.bench_analyse", "分析的速度与准确度，同场对照"),
    Command("bench labels", "hub.commands.bench_labels", "模型在全部标注上的准确度，加上单位的标注以后"),
    Command("bench hints", "hub.commands.bench_hints", "可能紧急的提示在有标注的文本上认出多少、说对多少"),
    Command("bench tables", "hub.commands.bench_tables", "逐项测速，把表写进 docs/benchmarks.md"),
    Command("bench replay", "hub.commands.bench_replay", "回放留言，与常见的预警办法同场对照"),
)


def _find(words: list[str]) -> tuple[Command, list[str]] | None:
    for length in (2, 1):
        wanted = " ".join(words[:length])
        for command in COMMANDS:
            if len(words) >= length and command.words == wanted:
                return command, words[length:]
    return None


def _overview() -> str:
    lines = ["用法：python -m hub 命令 [选项]", ""]
    lines += [f"  {command.words:<16}{command.help}" for command in COMMANDS]
    return "\n".join([*lines, "", "每个命令都可加 --help。"])


def _run(command: Command, rest: list[str]) -> int:
    module = importlib.import_module(command.module)
    parser = Parser(prog=f"python -m hub {command.words}", description=command.help)
    module.add(parser)
    arguments = parser.parse_args(rest)
    if command.needs_desk:
        return int(importlib.import_module("hub.wiring").run_at_desk(os.environ, module.run, arguments))
    answer = module.run(arguments)
    return int(asyncio.run(answer) if inspect.iscoroutine(answer) else answer)


def _unknown(words: list[str]) -> int:
    """No such command: all there are, and what was perhaps meant."""
    asked = bool(words) and words[0] in ("-h", "--help", "help")
    print(_overview(), file=sys.stdout if asked or not words else sys.stderr)
    if words and not asked:
        near = difflib.get_close_matches(words[0], [command.words for command in COMMANDS], 1)
        print(f"没有 {words[0][:40]} 这个命令{f'，是不是 {near[0]}' if near else ''}。", file=sys.stderr)
    return 0 if asked else 2


def main(words: list[str]) -> int:
    """0 for yes, 1 for no, 2 for wrong use or a wrong installation."""
    _write_utf_8()
    found = _find(words)
    if found is None:
        return _unknown(words)
    try:
        status = _run(*found)
        sys.stdout.flush()
        return status
    except Misconfigured as error:
        print(error.message, file=sys.stderr)
        return 2
    except HubError as error:
        print(error.message, file=sys.stderr)
        return 1
    except BrokenPipeError:
        let_go_of_output()
        return 1
    except OSError as trouble:
        if trouble.errno != errno.ENOSPC:
            raise
        let_go_of_output()
        print("写不下：磁盘满了。请腾出空间，再运行一次。", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("已停下。", file=sys.stderr)
        return 1


def _write_utf_8() -> None:
    """Whatever the terminal's language: results are UTF-8, and half a character is written as JSON writes it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
