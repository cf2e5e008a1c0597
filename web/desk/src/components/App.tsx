import { useEffect } from 'preact/hooks';
import { place } from '../state/look';
import { me } from '../state/session';
import { onKey } from '../state/keys';
import { Banner } from './Banner';
import { CustomerPane } from './customer/CustomerPane';
import { Dialogs } from './dialogs/Dialogs';
import { Header } from './Header';
import { Login } from './Login';
import { Notices } from './Notices';
import { ThreadPane } from './ThreadPane';
import { WorkPane } from './WorkPane';
import { Settings } from '../views/settings/Settings';
import { Wall } from '../views/wall/Wall';

function Desk() {
  return (
    <main id="desk">
      <WorkPane />
      <ThreadPane />
      <CustomerPane />
    </main>
  );
}

function View() {
  const { view } = place.value;
  return view === 'wall' ? <Wall /> : view === 'settings' ? <Settings /> : <Desk />;
}

export function App() {
  useEffect(() => {
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  return (
    <>
      <Header />
      {me.value && <Banner />}
      {me.value ? <View /> : <Login />}
      <Dialogs />
      <Notices />
    </>
  );
}
