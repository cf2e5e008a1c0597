const english = {
  title: 'Chat', close: 'Close the chat', write: 'Write a message', send: 'Send', messages: 'Messages', attach: 'Attach a file', file: 'File',
  offline: 'No connection. Trying again…', sending: 'Sending…', sent: 'Sent', failed: 'Not sent. Press Send to try again.',
  notTaken: 'This message was not accepted.', notTakenFile: 'This file was not accepted (at most 10 MiB).',
  refused: 'The chat is not available here.', ended: 'The conversation has ended. Write to start again.',
  typing: 'The agent is writing…', place: 'Your place in the queue: ', agent: 'Agent', read: 'Read',
  wait: (minutes: number) => (minutes < 2 ? ' · about a minute' : ` · about ${minutes} minutes`),
  locale: 'en', weekday: 'long' as 'long' | 'short', opens: (when: string) => `We are open again ${when}.`,
  away: 'Leave a message, and we will answer by email.', message: 'Your message', leave: 'Leave the message', left: 'Thank you. We will answer to ',
  notLeft: 'Not sent. Please try again.',
  askTitle: 'Before we start', name: 'Your name', email: 'Your email', phone: 'Your phone number', begin: 'Start the chat',
  transcript: 'Send me this conversation by email', transcriptSent: 'Sent to ', rate: 'How did we do?', rated: 'Thank you!', points: ' of 5',
};

const chinese: typeof english = {
  title: '在线咨询', close: '关闭聊天', write: '输入消息', send: '发送', messages: '消息', attach: '发送文件', file: '文件',
  offline: '连接已断开，正在重试…', sending: '发送中…', sent: '已发送', failed: '未发送，请按“发送”重试。',
  notTaken: '这条消息未被接受。', notTakenFile: '该文件未被接受（最大 10 MiB）。',
  refused: '此处无法使用聊天。', ended: '会话已结束，继续输入可重新开始。',
  typing: '客服正在输入…', place: '当前排队位置：', agent: '客服', read: '已读',
  wait: (minutes) => `，预计等待约 ${minutes} 分钟`,
  locale: 'zh-CN', weekday: 'short', opens: (when) => `${when} 恢复服务。`,
  away: '请留言，我们会通过邮件回复您。', message: '留言内容', leave: '提交留言', left: '感谢您的留言，我们会回复到 ',
  notLeft: '未能提交，请重试。',
  askTitle: '开始之前', name: '您的姓名', email: '您的邮箱', phone: '您的电话', begin: '开始咨询',
  transcript: '把会话记录发到我的邮箱', transcriptSent: '已发送到 ', rate: '您对本次服务满意吗？', rated: '感谢您的评价！', points: ' 分（满分 5 分）',
};

export type Words = typeof english;
export const wordsOf = (isChinese: boolean): Words => (isChinese ? chinese : english);
