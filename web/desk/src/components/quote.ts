// Where the quoted mail begins: a line that announces it with quoted lines behind, or a tail of ">" lines.
const ANNOUNCES = /^(on .{5,200} wrote:|.{0,200}(写道|寫道)[:：]|-{2,}\s*(original message|forwarded message|原始邮件|原始郵件|转发的?邮件).*)$/i;

export function splitQuote(text: string): { said: string; quoted: string } {
  const lines = text.split('\n');
  let from = lines.findIndex((line, place) => ANNOUNCES.test(line.trim()) && place > 0);
  if (from < 0) {
    let tail = lines.length;
    while (tail > 0 && (lines[tail - 1]!.startsWith('>') || !lines[tail - 1]!.trim())) tail--;
    from = lines.slice(tail).some((line) => line.startsWith('>')) && tail > 0 ? tail : -1;
  }
  if (from < 0) return { said: text, quoted: '' };
  return { said: lines.slice(0, from).join('\n').trimEnd(), quoted: lines.slice(from).join('\n') };
}
