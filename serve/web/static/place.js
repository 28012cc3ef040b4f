// Where this page keeps things in the browser. Characters of one server share an origin, so each has a name of its own.

import { place } from "./persona.js";

/** The name of the database and of the channel between tabs, and how every key in localStorage begins. */
export const PLACE = place ? `inosuke:${place}` : "inosuke";
