// Draws a component again only when a prop is another one.
import { Component, h, type ComponentType } from 'preact';

export function memo<P extends object>(inner: ComponentType<P>): ComponentType<P> {
  return class Memo extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      return (Object.keys(next) as (keyof P)[]).some((key) => next[key] !== this.props[key]);
    }

    override render() {
      return h(inner, this.props as P & preact.JSX.IntrinsicAttributes);
    }
  };
}
