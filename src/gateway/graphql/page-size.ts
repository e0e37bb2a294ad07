/** How long a page is when nothing is said. */
export const PAGE_SIZE_DEFAULT = 20;
