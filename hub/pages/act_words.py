"""What an act of the audit, or a right, is called by people; rights themselves live in the domain."""

from __future__ import annotations

from collections.abc import Mapping

from hub.domain.moves import step_for

RIGHT_WORDS: Mapping[str, str] = {
    "content.read": "看稿件",
    "content.write": "写稿件",
    "content.submit": "送审",
    "content.review": "审批",
    "content.schedule": "排期、改期、取消",
    "content.correct": "更正",
    "content.withdraw": "撤回",
    "publication.read": "看发布",
    "publication.hold": "暂停发布和账号",
    "publication.release": "恢复发布和账号",
    "publication.resolve": "人工认定结果",
    "account.read": "看账号",
    "account.write": "接入账号",
    "hold.all": "全部暂停",
    "hold.lift": "解除全部暂停",
    "reply.read": "看留言",
    "reply.write": "改正情感",
    "reply.import": "导入往日留言",
    "reply.take": "收入留言",
    "reply.reveal": "查看原话",
    "issue.read": "看苗头和预警",
    "alert.act": "处置预警",
    "board.read": "看舆情看板",
    "notice.read": "看自己的通知",
    "user.read": "看用户",
    "user.write": "管用户",
    "token.write": "管令牌",
    "policy.read": "看规则",
    "policy.write": "改规则",
    "policy.confirm": "确认规则的变更",
    "column.write": "管栏目",
    "service.read": "看服务事项",
    "service.write": "管服务事项",
    "audit.read": "看审计",
}
ACT_WORDS: Mapping[str, str] = {
    "account.connect": "接入账号",
    "account.hold": "暂停账号",
    "account.release": "恢复账号",
    "alert.acknowledge": "认领预警",
    "alert.assess": "研判预警",
    "alert.respond": "开始处置预警",
    "alert.close": "办结预警",
    "alert.false-alarm": "标为误报",
    "audit.export": "导出审计",
    "column.save": "改栏目",
    "content.start": "新建稿件",
    "content.save": "保存稿件",
    "content.submit": "送审",
    "content.approve": "审批全部通过",
    "content.pass": "通过一级",
    "content.return": "退回稿件",
    "hold.all": "全部暂停",
    "hold.lift": "恢复发布",
    "incident.ask": "开始突发事件演练",
    "media.upload": "上传附件",
    "operation.correct": "要求更正",
    "operation.withdraw": "要求撤回",
    "policy.set": "改规则",
    "policy.propose": "提出改规则",
    "policy.confirm": "确认改规则",
    "policy.drop": "撤下改规则的提议",
    "publication.schedule": "排期",
    "reply.label": "改正情感",
    "reply.reveal": "查看原话",
    "review.pass": "通过",
    "review.return": "退回",
    "service.save": "改服务事项",
    "first_answers.save": "改自动答复",
    "menu.publish": "更新公众号菜单",
    "session.begin": "登录",
    "session.confirm": "重输口令",
    "session.second": "动态口令",
    "session.end": "退出",
    "token.create": "新建令牌",
    "token.revoke": "吊销令牌",
    "user.add": "新增用户",
    "user.roles": "改角色",
    "user.duty": "改值班",
    "user.email": "改邮箱",
    "user.disable": "停用用户",
    "user.enable": "启用用户",
    "user.password": "改口令",
    "user.factor": "设动态口令",
    "user.factor_loss": "申请清除动态口令",
    "user.factor_clear": "清除动态口令",
    "variant.set": "手写渠道版本",
    "variant.clear": "渠道版本回到原稿",
}
_KINDS = {"publication": "发布", "operation": "更正或撤回"}


def act_word(act: str, before: str = "") -> str:
    """The act in Chinese; empty where it has no word yet, so that its own name stands alone. `before` is the state
    that a move of a publication found: the same event means different things after different states."""
    kind, _, event = act.partition(".")
    step = step_for(before, event) if kind in _KINDS else None
    return f"{_KINDS[kind]}：{step.words}" if step else ACT_WORDS.get(act, "")
