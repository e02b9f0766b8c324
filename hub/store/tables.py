"""The tables of both stores as data: unique keys, indexes, personal fields, purpose, retention; no query lives here.

A unique key never names a field that may be missing. An index is a tuple of paths, `-` before those going down; every
query of a page or a duty has one that begins with its equalities. `describe` makes the page in docs/ from this.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """One table. `personal`: paths with a person's data, sealed or masked; `terms`: it can be searched for words."""

    name: str
    purpose: str
    retention: str
    unique: tuple[tuple[str, ...], ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()
    personal: tuple[str, ...] = ()
    terms: bool = False
    outbox: bool = False

    def ordered(self) -> tuple[tuple[tuple[str, int], ...], ...]:
        """The indexes as (path, 1 or -1), with the one that finds open outboxes where the table has an outbox."""
        extra: tuple[tuple[str, ...], ...] = (("outbox_open", "_id"),) if self.outbox else ()
        return tuple(tuple(directed(path) for path in index) for index in (*self.indexes, *extra))


def directed(path: str) -> tuple[str, int]:
    """`-at` is the path `at` going down."""
    return (path[1:], -1) if path.startswith("-") else (path, 1)


def by_name(tables: Iterable[Table]) -> Mapping[str, Table]:
    """The tables under their names."""
    return {table.name: table for table in tables}


_CONTENT = (
    Table(
        "contents", "稿件: what is written, with its variants per account", "as long as the publication it led to",
        indexes=(("-updated_at",), ("state", "-updated_at"), ("author", "-updated_at"), ("column", "-updated_at")),
        personal=("author",), outbox=True,
    ),
    Table(
        "revisions", "版本: each saved text, never changed", "with its content",
        unique=(("content", "number"),), indexes=(("hash",),), personal=("by",),
    ),
    Table("media", "附件: what is known of each uploaded file; bytes lie in the file store", "with the last content "
          "that names it", indexes=(("-at",),), personal=("by",), outbox=True),
    Table(
        "reviews", "审校意见: verdicts bound to one exact package of text, variants and files", "ten years",
        indexes=(("content", "-at"), ("content", "revision", "kind"), ("by", "-at")), personal=("by", "for"),
        outbox=True,
    ),
    Table("services", "服务事项: the service directory in everyday words", "for ever", outbox=True),
    Table("first_answers", "自动答复: what an account answers by itself", "for ever", outbox=True),
    Table("columns", "栏目: where content stands on the site, and how many approvals it needs", "for ever",
          indexes=(("order",),), outbox=True),
)

_PUBLISHING = (
    Table("accounts", "账号: channels with sealed credentials, quotas and health", "until closed, then one year",
          indexes=(("channel",), ("held",), ("listening", "listen_at")), personal=("credentials",), outbox=True),
    Table(
        "publications", "发布: one content to one account, with every attempt (the ledger)", "ten years",
        unique=(("key",),),
        indexes=(("state", "not_before"), ("state", "lease_until"), ("put_off",), ("content", "-at"),
                 ("account", "-at"), ("-at",), ("account", "external_id"), ("waits_for",), ("account", "-published_at"),
                 ("hash", "account"), ("content", "account", "-at"),
                 ("state", "look_at"), ("state", "at"), ("account", "state", "at"), ("state", "-published_at"),
                 ("state", "preflight_at"), ("leftover_at",)),
        outbox=True,
    ),
    Table(
        "operations", "更正、撤回: later acts on a publication, with the same ledger", "ten years",
        unique=(("key",),),
        indexes=(("state", "not_before"), ("state", "lease_until"), ("put_off",), ("publication", "-at"),
                 ("state", "review_by"), ("state", "look_at"), ("to_follow",), ("-at",), ("content",)),
        personal=("by",), outbox=True,
    ),
    Table("custody", "凭证: the access token of each account, sealed, the same for every worker", "while it lives",
          personal=("sealed",)),
    Table("quotas", "额度: calls made under each quota of each account, one row a minute, hour, day or month",
          "three months", indexes=(("at",),)),
    Table("posts", "帖子的归属: which publication a platform's post belongs to", "as the publication"),
    Table("switches", "全部暂停 and other switches of the whole office", "for ever", outbox=True),
)

_LISTENING = (
    Table(
        "replies", "公众回复: what citizens wrote; plain words sealed, masked words for pages",
        "two years, then without persons", unique=(("account", "external_id"),),
        indexes=(("state", "-at"), ("state", "lease_until"), ("-at",), ("issue", "-at"), ("publication", "-at"),
                 ("channel", "-at"), ("district", "-at"), ("sentiment", "-at"), ("author_key", "-at"),
                 ("state", "received_at"), ("counted", "state"), ("grouped", "state"),
                 ("watched", "state", "stream", "at"), ("in_reply_to",), ("to_follow", "received_at"), ("case", "-at"),
                 ("kind", "label", "-labelled_at"), ("filed_branch", "-filed_at"),
                 ("urgent", "-at"), ("urgency.kind", "-urgency.at")),
        personal=("analysis", "author", "author_key", "contact", "sealed", "text"), terms=True, outbox=True,
    ),
    Table("copy_groups", "同文组: texts that say the same, with first source, accounts and minutes; from the second on",
          "two years after the last was heard",
          indexes=(("live", "-last_at"), ("live", "-count"), ("heard_at",)), terms=True),
    Table("copies", "同文: which group a reply belongs to, and what its group counts of it",
          "two years after it was heard",
          indexes=(("group", "at"), ("group", "author_key", "at"), ("heard_at",)), personal=("author_key",)),
    Table("copy_marks", "同文标记: one row a different text, by which its copies are found; no words",
          "thirty days after it was last heard",
          indexes=(("seen_at",), ("b0", "-seen_at"), ("b1", "-seen_at"), ("b2", "-seen_at"), ("b3", "-seen_at"))),
    Table("models", "情感模型: each training by the office with its figures; files in the file store", "for ever",
          indexes=(("-at",), ("base", "-at")), personal=("by",)),
    Table("topic_trees", "主题分类表: each tree that the office brought in; its rows in the file store", "for ever",
          indexes=(("-at",),), personal=("by",)),
    Table("topic_models", "主题模型: each training of a tree with its figures; files in the file store", "for ever",
          indexes=(("-at",), ("tree", "-at")), personal=("by",)),
    Table("devices", "登记的手机: which phones want to be told and for which districts; their numbers sealed",
          "one year after it last registered", indexes=(("seen_at",),), personal=("sealed", "box", "districts")),
    Table("watchwords", "关注词: words whose hits tell people, with their thresholds and pauses", "for ever",
          indexes=(("retired", "name"), ("-changed_at", "-_id")), personal=("by",), outbox=True),
    Table("word_hits", "关注词和类别的留言: which replies a watch word's alert, or a topic that rose, gathered",
          "as the issue",
          indexes=(("issue", "-at"),)),
    Table("decisions", "对苗头的决定: merging, splitting, 误报 and 属实, numbered in their stream", "five years",
          unique=(("stream", "number"), ("key",)),
          indexes=(("state", "stream", "number"), ("issue", "-at"), ("into", "-at")), personal=("by", "by_name"),
          outbox=True),
    Table("issues", "议题: replies about one matter, with what made them unusual", "five years",
          indexes=(("state", "-last_at"), ("level", "-last_at"), ("-last_at",)), personal=("taken_by",), outbox=True),
    Table("alerts", "预警: an issue that someone must look at", "five years",
          indexes=(("state", "-at"), ("issue", "-at"), ("-at",), ("to_teach",), ("source", "-at")),
          personal=("told", "taken_by"), outbox=True),
    Table("rollups", "汇总: counts by hour and day for boards; rebuilt from replies", "five years",
          indexes=(("period", "at"), ("period", "channel", "at"), ("period", "district", "at"))),
    Table("batches", "汇总批次: the one batch of replies that is being counted into the roll-ups, and the one that is "
          "being brought to its copy groups", "while in use", personal=("copies",)),
    Table("detector_state", "监测状态: what the detectors remember between looks, in parts", "while in use",
          indexes=(("of", "version"),)),
    Table("cursors", "游标: how far each account has been read", "with its account"),
)

_ANSWERING = (
    Table(
        "cases", "工单: demands to be answered, with every step and note", "two years after closing, then without "
        "persons", unique=(("number",),),
        indexes=(("confidential", "state", "-changed_at"), ("confidential", "-changed_at"),
                 ("owner", "state", "rank_at"), ("confidential", "state", "rank_at"), ("to_tell",), ("to_move",),
                 ("to_decide",), ("issue", "-changed_at"), ("topic", "district", "-changed_at"),
                 ("confidential", "-answered_at"), ("confidential", "-rated_at"),
                 ("confidential", "state", "-opened_at"), ("confidential", "-opened_at"),
                 ("confidential", "state", "-people", "-_id"), ("confidential", "-people", "-_id")),
        personal=("title", "author", "owner", "handlers", "history", "opened_by", "extension", "objection",
                  "objections"),
        terms=True, outbox=True,
    ),
    Table("canned", "常用答复: what the office says again and again, with places for the case's own facts", "for ever",
          indexes=(("retired", "title"),), personal=("by",), outbox=True),
    Table(
        "answers", "答复: what is said back, with its approval", "with its case", unique=(("case", "round"),),
        indexes=(("state", "submitted_at"), ("to_spread",)), personal=("by", "text", "short", "reviews"), outbox=True,
    ),
    Table(
        "deliveries", "送达: one answer to one citizen, with every attempt (the ledger)", "with its case",
        unique=(("key",), ("answer", "citizen")),
        indexes=(("state", "not_before"), ("state", "lease_until"), ("put_off",), ("state", "look_at"),
                 ("answer", "state"), ("state", "at"), ("account", "external_id")),
        personal=("citizen", "author", "by"), outbox=True,
    ),
    Table(
        "ratings", "好差评: what citizens say of an answer, sealed as it came", "with its case",
        unique=(("account", "external_id"),), indexes=(("state", "at"), ("case", "-at")), personal=("sealed", "reason"),
    ),
)

_PEOPLE = (
    Table("users", "用户: staff, their roles and sealed second factors", "while employed, then by the archive's rule",
          unique=(("login",),), indexes=(("disabled", "login"), ("duty",)),
          personal=("login", "name", "password", "totp", "email", "department"), outbox=True),
    Table("sessions", "会话: signed-in browsers, under the hash of their token", "one day after the end",
          indexes=(("user", "-created_at"), ("seen_at",)), personal=("user",), outbox=True),
    Table("tokens", "令牌: programs' keys, under the hash of the token", "one year after the end",
          indexes=(("user",), ("expires_at",)), personal=("user",), outbox=True),
    Table("lockouts", "锁定: failed sign-ins, under a keyed hash", "one day", indexes=(("until",), ("at",)),
          outbox=True),
    Table("notices", "通知: one matter to one person, once", "one year",
          unique=(("person", "key"),), indexes=(("person", "-at"), ("person", "read_at", "-at"), ("mail.state", "at")),
          personal=("person", "text")),
    Table("tasks", "待办: what someone must do, until done", "two years",
          unique=(("key",),), indexes=(("owner", "state", "due"), ("state", "due"), ("about",)),
          personal=("owner", "done_by"), outbox=True),
)

_HOUSE = (
    Table("audit", "审计: who did what, chained by hashes", "at least six months by law, ten years by default",
          unique=(("number",),), indexes=(("-at",), ("actor", "-number"), ("subject", "-number"), ("act", "-number")),
          personal=("actor", "address")),
    Table("audit_heads", "审计封存: sealed heads of the chain", "as the audit", unique=(("number",),)),
    Table("events", "实时事件: wakes open pages", "one hour", indexes=(("at",), ("number",))),
    Table("policies", "规则: figures of the office's rules, with who changed them", "for ever", personal=("by",),
          outbox=True),
    Table("leases", "租约: who does a single duty now", "while in use"),
    Table("beats", "心跳: when each worker last lived", "one day", indexes=(("at",),)),
    Table("schema", "库结构: number of the schema and the mark demo or production", "for ever"),
)

TABLES: tuple[Table, ...] = (*_CONTENT, *_PUBLISHING, *_LISTENING, *_ANSWERING, *_PEOPLE, *_HOUSE)

SITE_TABLES: tuple[Table, ...] = (
    Table("items", "公开内容: articles, columns, files' facts as the hub sent them, with the keys they took",
          "until withdrawn; a withdrawn one until the hub asks for its erasure", unique=(("kind", "id"),),
          indexes=(("kind", "state", "-published_at", "-id"), ("kind", "state", "column", "-published_at", "-id"),
                   ("kind", "state", "pinned_until")), terms=True),
    Table("inbox", "来信: what citizens sent, sealed on arrival; emptied when the hub has taken it",
          "the empty row seven days more, the newest for ever", unique=(("number",),), indexes=(("acked", "number"),),
          personal=("sealed",)),
    Table("demands", "查询码: which demand a code opens, under keyed hashes of code and proof; no word of it",
          "two years after the last word", unique=(("demand",),), indexes=(("at",),), personal=("proof",)),
    Table("ratings", "评价: which answers were rated, and how; the reason is sealed in the inbox", "with the demand",
          indexes=(("demand",),)),
    Table("used_ids", "已用编号: requests seen before", "while their signature can be believed", indexes=(("at",),)),
    Table("numbers", "序号: how far the hub has taken the inbox", "for ever"),
    Table("beats", "心跳: when the hub last spoke to the site", "the newest"),
    Table("rates", "限速: requests in a window, under a keyed hash of the address", "until the window is over",
          indexes=(("until",),)),
    Table("leases", "租约: who does a single duty now", "while in use"),
    Table("schema", "库结构: number of the schema and the mark demo or production", "for ever"),
)


def describe() -> str:
    """Both stores' tables as Markdown."""
    return "\n".join([*_described("The desk's store", TABLES), "", *_described("The site's store", SITE_TABLES), ""])


_HEAD = ("| table | what it holds | unique keys | personal fields | kept |", "|---|---|---|---|---|")


def _described(title: str, tables: Iterable[Table]) -> list[str]:
    return [f"## {title}", "", *_HEAD, *(_row(table) for table in tables)]


def _row(table: Table) -> str:
    keys = ", ".join(" + ".join(key) for key in (("_id",), *table.unique))
    personal = ", ".join(table.personal) or "none"
    return f"| `{table.name}` | {table.purpose} | {keys} | {personal} | {table.retention} |"
