import { render } from 'preact';
import { hasSession } from './api/client';
import { App } from './components/App';
import { showProblem } from './state/notices';
import { signedOut, start } from './state/desk';
import { language, setLanguage } from './words';
import './style/base.css';
import './style/desk.css';
import './style/thread.css';
import './style/views.css';

setLanguage(language.value);
render(<App />, document.getElementById('app')!);
if (hasSession())
  start(false).catch((problem) => {
    showProblem(problem);
    if (problem.status !== 401) signedOut(String(problem.message));
  });
