import { render } from 'preact';
import { hasSession } from './api/client';
import { returned } from './state/returned';
import { App } from './components/App';
import { showProblem } from './state/notices';
import { signedOut, start } from './state/desk';
import { takeSession } from './state/session';
import { language, setLanguage } from './words';
import './style/base.css';
import './style/desk.css';
import './style/thread.css';
import './style/views.css';
import './style/webhooks.css';

setLanguage(language.value);
render(<App />, document.getElementById('app')!);
const isBack = returned();
if (isBack || hasSession())
  Promise.resolve(isBack && takeSession())
    .then(() => start(isBack)).catch((problem) => {
    showProblem(problem);
    if (problem.status !== 401) signedOut(String(problem.message));
  });
