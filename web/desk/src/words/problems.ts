// By the stable code of a problem; a code that is not here shows what its status means, and the daemon's own words.
import type { Problem } from '../api/client';
import type { Language } from './index';

const problems: Record<Language, Record<string, string>> = {
  en: {
    code_required: 'Enter the code of your authenticator app.', wrong_code: 'The code is wrong, or was used before.',
    wrong_password: 'The agent or the password is wrong.', too_many_attempts: 'Too many attempts. Wait a little.',
    too_many_requests: 'Too many requests. Wait a little.', not_allowed: 'You may not do that.',
    not_assignee: 'This work item is not yours.', not_signed_in: 'The session had ended.', version: 'It has changed meanwhile. Look again.',
    store_unavailable: 'The store does not answer right now. Try again in a moment.',
    no_such_work_item: 'This work item is no longer there.', no_such_conversation: 'This conversation is no longer there.',
    illegal_state: "The work item's state does not allow this.", idempotency_conflict: 'This was sent before with another text.',
    no_history: 'This installation keeps no history, so nothing can be searched.',
    history_unavailable: 'The history does not answer right now. Try again in a moment.',
    window_closed: 'The reply window has closed.', window_too_small: 'The text is too long for the messages that the channel still takes.', window_used_up: 'The channel allows no more replies until the customer writes.',
    no_password: 'You have no password: your provider asks for the second factor.', totp_active: 'An app is set up already.', no_agent: 'This token stands for no agent.',
    full: 'You hold as much work as you may.', offline: 'The daemon does not answer. Check the connection.',
    400: 'The request was not understood.', 403: 'You may not do that.', 404: 'It is no longer there.',
    409: 'That is not possible now.', 412: 'It has changed meanwhile.', 413: 'It is too large.', 422: 'It was not accepted.',
    429: 'Too many requests. Wait a little.', 500: 'The daemon made a mistake.', 503: 'Not available right now. Try again.',
  },
  zh: {
    code_required: '请输入验证器中的验证码。', wrong_code: '验证码不正确或已使用过。',
    wrong_password: '坐席或密码不正确。', too_many_attempts: '尝试次数过多，请稍候。',
    too_many_requests: '请求过于频繁，请稍候。', not_allowed: '您没有权限这样做。',
    not_assignee: '这个工单不在您名下。', not_signed_in: '登录已失效。', version: '内容已被更改，请重新查看。',
    store_unavailable: '存储暂时没有应答，请稍后再试。',
    no_such_work_item: '这个工单已不存在。', no_such_conversation: '这个会话已不存在。',
    illegal_state: '工单当前的状态不允许这样做。', idempotency_conflict: '同一请求此前已用不同内容发送。',
    no_history: '本系统没有保存历史，无法搜索。', history_unavailable: '历史库暂时没有应答，请稍后再试。',
    window_closed: '回复窗口已关闭。', window_too_small: '内容太长，超出渠道还能接受的消息数。', window_used_up: '客户再次来消息之前，渠道不再允许回复。',
    no_password: '您没有密码：第二因素由登录服务负责。', totp_active: '已设置过验证器应用。', no_agent: '该令牌不代表任何坐席。',
    full: '您的工单已达上限。', offline: '服务没有应答，请检查网络连接。',
    400: '请求无法理解。', 403: '您没有权限这样做。', 404: '已不存在。',
    409: '现在不能这样做。', 412: '内容已被更改。', 413: '内容过大。', 422: '没有被接受。',
    429: '请求过于频繁，请稍候。', 500: '服务内部出错。', 503: '暂时不可用，请稍后再试。',
  },
};

export function wordsOf(problem: Problem, language: Language): string {
  const known = problems[language];
  const exact = known[problem.code];
  if (exact) return exact;
  const general = known[problem.status] ?? known[500] ?? '';
  return problem.detail ? `${general} (${problem.detail})` : general;
}
