/** Where a node or a cluster keeps what must not be lost: a database, and who may open it. */
package dev.troupe.actors.store;
