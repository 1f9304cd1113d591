/** Where dialogs, menus and messages are drawn: inside of what a lock hides. */
export const LAYERS = "iris-layers";
