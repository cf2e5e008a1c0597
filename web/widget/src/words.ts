const english = {
  title: 'Chat', close: 'Close the chat', write: 'Write a message', send: 'Send', messages: 'Messages',
  offline: 'No connection. Trying again…', sending: 'Sending…', sent: 'Sent', failed: 'Not sent. Press Send to try again.',
  refused: 'The chat is not available here.', ended: 'The conversation has ended. Write to start again.',
  typing: 'The agent is writing…', place: 'Your place in the queue: ', you: 'You', agent: 'Agent',
};

const chinese: typeof english = {
  title: '在线咨询', close: '关闭聊天', write: '输入消息', send: '发送', messages: '消息',
  offline: '连接已断开，正在重试…', sending: '发送中…', sent: '已发送', failed: '未发送，请按“发送”重试。',
  refused: '此处无法使用聊天。', ended: '会话已结束，继续输入可重新开始。',
  typing: '客服正在输入…', place: '当前排队位置：', you: '我', agent: '客服',
};

export type Words = typeof english;
export const wordsOf = (isChinese: boolean): Words => (isChinese ? chinese : english);
