import { t } from '../../words';
import { Frame } from './Frame';

/** A picture of the thread as large as the window allows. */
export const Picture = ({ address, title }: { address: string; title: string }) => (
  <Frame title="picture">
    <p><bdi>{title}</bdi></p>
    <img class="picture" src={address} alt={title} />
    <p><a href={address} download={title}>{t('download')}</a></p>
  </Frame>
);
