export const style = `
section{position:fixed;inset-block-end:20px;inset-inline-end:20px;inline-size:min(380px,calc(100vw - 16px));
block-size:min(600px,calc(100dvh - 40px));display:flex;flex-direction:column;font:400 15px/1.5 system-ui,sans-serif;
background:#fff;color:#111827;border:1px solid #9ca3af;border-radius:12px;overflow:hidden;box-sizing:border-box}
@media (max-width:400px){section{inset-inline-end:8px}}
header{display:flex;align-items:center;justify-content:space-between;padding:8px 16px;background:#1d4ed8;color:#fff}
h2{font-size:16px;margin:0}
header button{min-height:32px;min-width:32px;padding:0;font-size:20px;border-radius:6px}
[hidden]{display:none!important}li p,.ask p{margin:0}.ask>*{flex-shrink:0}.ask [role=status]{padding:0}.ask [role=status]:empty{min-height:0}li p{margin-block-start:6px}li a{display:block;color:inherit}[role=log]{flex:1;overflow-y:auto;min-block-size:96px}
ol{margin:0;padding:12px 16px;list-style:none;display:flex;flex-direction:column;gap:8px}
li{max-inline-size:85%;align-self:start;background:#e5e7eb;border-radius:10px;padding:6px 10px;
white-space:pre-wrap;overflow-wrap:anywhere}
li.own{align-self:end;background:#dbeafe}
small{display:block;font-size:12px;color:#374151}
[role=status]{min-height:20px;padding:0 16px;font-size:13px;color:#374151}
form{display:flex;gap:8px;padding:8px;border-block-start:1px solid #9ca3af}
textarea{flex:1;min-inline-size:0;font:inherit;resize:none;padding:8px;border:1px solid #6b7280;border-radius:8px;
background:inherit;color:inherit}
textarea:focus-visible,[role=log]:focus-visible{outline:3px solid #1d4ed8}
form button,.rate button{border-radius:8px;min-height:40px;padding:0 12px}
.ask{flex-direction:column;overflow-y:auto;border:0}.ask label{display:flex;flex-direction:column;gap:2px}
.ask h3{margin:4px 0;font-size:15px}.ask input{font:inherit;min-height:40px;padding:0 8px;border:1px solid #6b7280;border-radius:8px;background:inherit;color:inherit}
.rate{display:flex;flex-wrap:wrap;align-items:center;gap:6px;padding:8px 16px;border-block-start:1px solid #9ca3af}.rate span{flex-basis:100%}
.after{border-block-start:1px solid #9ca3af}.after .rate{border:0}.mail{border:0;align-items:end;flex-wrap:wrap}.mail label{flex:1 1 180px;font-size:14px}.mail input{display:block;inline-size:100%;box-sizing:border-box;font:inherit;min-height:40px;padding:0 8px;border:1px solid #6b7280;border-radius:8px;background:inherit;color:inherit}
a:focus-visible,input:focus-visible{outline:3px solid #1d4ed8}
@media (prefers-color-scheme:dark){section{background:#111827;color:#f3f4f6;border-color:#6b7280}
li{background:#374151}li.own{background:#1e3a8a}small,[role=status]{color:#d1d5db}textarea:focus-visible,a:focus-visible,input:focus-visible{outline-color:#93c5fd}}
`;
