
import time, pytest
from tests.browser.test_matrix import *
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
def test_prof(world, browse):
    browser = browse(world.people["owner"], viewport={"width": 1440, "height": 900})
    for one in PAGES:
        browser.look_at(one.environment)
        t0=time.time(); browser.shape(1440, "light"); t1=time.time()
        page = browser.open(world.path(one)); t2=time.time()
        check(browser, one.name); t3=time.time()
        refused("owner", page.evaluate(OFFERED)); t4=time.time()
        print(f"{one.name:20} shape {t1-t0:.2f} open {t2-t1:.2f} check {t3-t2:.2f} offered {t4-t3:.2f}")
